#include "banquet/client/mysql/connection.h"

#include <mysql.h>

#include <algorithm>

#include "banquet/base/hex_text.h"

namespace banquet::mysql {
namespace {

// Numbers of errors: MySQL's manual, "Server Error Message Reference" and "Client Error …".
enum ErrorNumber : unsigned {
  kTooManyConnections = 1040,
  kNoRightToDatabase = 1044,
  kWrongLogin = 1045,
  kNoSuchDatabase = 1049,
  kShutdown = 1053,
  kNoRightToStatement = 1142,
  kNoSuchTable = 1146,
  kLockTimeout = 1205,
  kDeadlock = 1213,
  kNoRightToDo = 1227,
  kTooMuchForUser = 1226,
  kReadOnlyServer = 1290,
  kTooLong = 1406,
  kReadOnlyMode = 1836,
  kNoSocket = 2002,
  kNoServer = 2003,
  kUnknownHost = 2005,
  kServerGone = 2006,
  kServerLost = 2013,
  kTls = 2026,
};

void SetOption(MYSQL* handle, mysql_option option, const std::string& value) {
  if (!value.empty()) mysql_options(handle, option, value.c_str());
}

void SetTimeout(MYSQL* handle, mysql_option option, std::chrono::milliseconds timeout) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  const auto seconds = static_cast<unsigned>(std::max<int64_t>(whole, 1));
  mysql_options(handle, option, &seconds);
}

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

std::vector<std::vector<std::optional<std::string>>> RowsOf(MYSQL_RES* result) {
  std::vector<std::vector<std::optional<std::string>>> rows;
  const unsigned columns = mysql_num_fields(result);
  while (const MYSQL_ROW values = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    auto& row = rows.emplace_back(columns);
    for (unsigned column = 0; column < columns; ++column) {
      if (values[column] != nullptr) row[column] = std::string(values[column], lengths[column]);
    }
  }
  return rows;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionSettings& settings) {
  std::unique_ptr<Connection> connection(new Connection(settings.server));
  BANQUET_RETURN_NOT_OK(connection->Connect(settings));
  return connection;
}

Connection::~Connection() {
  if (handle_ != nullptr) mysql_close(handle_);
}

Status Connection::Connect(const ConnectionSettings& settings) {
  handle_ = mysql_init(nullptr);
  if (handle_ == nullptr) return RemoteError({}, "{}: no memory for a connection", server_);
  SetTimeout(handle_, MYSQL_OPT_CONNECT_TIMEOUT, settings.connect_timeout);
  SetTimeout(handle_, MYSQL_OPT_READ_TIMEOUT, settings.stall_timeout);
  SetTimeout(handle_, MYSQL_OPT_WRITE_TIMEOUT, settings.stall_timeout);
  // No server is to read this machine's files.
  const unsigned no_local_files = 0;
  mysql_options(handle_, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
  mysql_options(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  SetOption(handle_, MYSQL_OPT_SSL_CA, settings.ca_file);
  SetOption(handle_, MYSQL_OPT_SSL_CERT, settings.certificate_file);
  SetOption(handle_, MYSQL_OPT_SSL_KEY, settings.key_file);
  if (!settings.ca_file.empty()) {
    const my_bool yes = 1;
    mysql_options(handle_, MYSQL_OPT_SSL_ENFORCE, &yes);
    const my_bool verify = settings.verify_identity ? 1 : 0;
    mysql_options(handle_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  }
  const MYSQL* connected = mysql_real_connect(
      handle_, OrNull(settings.host), settings.user.c_str(), settings.password.c_str(),
      OrNull(settings.database), settings.port, OrNull(settings.unix_socket), CLIENT_FOUND_ROWS);
  return connected == nullptr ? ErrorNow() : Status::OK();
}

Result<Answer> Connection::Run(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), static_cast<unsigned long>(sql.size())) != 0)
    return ErrorNow();
  const std::unique_ptr<MYSQL_RES, FreeResult> result(mysql_store_result(handle_));
  if (mysql_errno(handle_) != 0) return ErrorNow();
  Answer answer;
  if (result != nullptr) answer.rows = RowsOf(result.get());
  answer.matched = static_cast<int64_t>(mysql_affected_rows(handle_));
  return answer;
}

Status Connection::ErrorNow() const {
  return ErrorOfNumber(mysql_errno(handle_), mysql_error(handle_), server_);
}

std::string TextLiteral(std::string_view text) { return "_utf8mb4 X'" + HexOf(text) + "'"; }

std::string BytesLiteral(std::string_view bytes) { return "X'" + HexOf(bytes) + "'"; }

Status ErrorOfNumber(unsigned number, std::string_view text, const std::string& server) {
  switch (number) {
    case kTooManyConnections:
    case kShutdown:
    case kLockTimeout:
    case kDeadlock:
    case kTooMuchForUser:
    case kReadOnlyServer:
    case kReadOnlyMode:
    case kNoSocket:
    case kNoServer:
    case kUnknownHost:
    case kServerGone:
    case kServerLost:
      return RemoteError({.retryable = true}, "{}: {}", server, text);
    case kNoRightToDatabase:
    case kWrongLogin:
    case kNoSuchDatabase:
    case kNoRightToStatement:
    case kNoRightToDo:
    case kNoSuchTable:
    case kTls:
      return UserError("{}: {}", server, text);
    case kTooLong:
      return DataError("{}: {}", server, text);
    default:
      return RemoteError({}, "{}: {} (error {})", server, text, number);
  }
}

}  // namespace banquet::mysql
