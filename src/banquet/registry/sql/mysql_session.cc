#include <charconv>
#include <utility>

#include "banquet/client/mysql/connection.h"
#include "banquet/registry/sql/sessions.h"

namespace banquet::sql_registry {
namespace {

constexpr SqlDialect kDialect = {
    .now_ms = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
    .row_lock = "FOR UPDATE",
    .insert = "INSERT IGNORE INTO",
    .unless_there = "",
    .tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    .begin_read = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    .begin_write = "START TRANSACTION READ WRITE",
    .may_create = "",
};
constexpr unsigned kDefaultPort = 3306;

struct Literal {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(const std::string& text) const { return mysql::TextLiteral(text); }
  std::string operator()(const SqlBytes& value) const { return mysql::BytesLiteral(value.bytes); }
};

class MysqlSession final : public SqlSession {
 public:
  explicit MysqlSession(std::unique_ptr<mysql::Connection> connection)
      : connection_(std::move(connection)) {}

  const SqlDialect& dialect() const override { return kDialect; }

  Result<SqlAnswer> Run(std::string_view sql, std::span<const SqlValue> parameters) override {
    std::string text;
    size_t parameter = 0;
    for (const char c : sql) {
      if (c == '?') {
        text += std::visit(Literal{}, parameters[parameter++]);
      } else {
        text += c;
      }
    }
    BANQUET_ASSIGN_OR_RETURN(mysql::Answer answer, connection_->Run(text));
    return SqlAnswer{.rows = std::move(answer.rows), .matched = answer.matched};
  }

 private:
  std::unique_ptr<mysql::Connection> connection_;
};

// What SQLAlchemy's drivers for MySQL take in a URL and what governs more than Python.
Status ReadQuery(const SqlUrl& url, mysql::ConnectionSettings* connection) {
  for (const auto& [key, value] : url.query) {
    if (key == "unix_socket") {
      connection->unix_socket = value;
    } else if (key == "ssl_ca") {
      connection->ca_file = value;
    } else if (key == "ssl_cert") {
      connection->certificate_file = value;
    } else if (key == "ssl_key") {
      connection->key_file = value;
    } else if (key == "ssl_verify_identity") {
      connection->verify_identity = value == "true" || value == "True" || value == "1";
    } else if (key != "charset") {  // Ours is UTF-8 whatever Python's is.
      return UserError(
          "registry.path: '{}' of a MySQL URL is not supported; this version knows charset, "
          "unix_socket, ssl_ca, ssl_cert, ssl_key and ssl_verify_identity",
          key);
    }
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<SqlSession>> OpenMysqlSession(const SqlUrl& url,
                                                     const SessionSettings& settings) {
  mysql::ConnectionSettings connection{.host = url.host,
                                       .port = kDefaultPort,
                                       .user = url.user,
                                       .password = url.password.value_or(""),
                                       .database = url.database,
                                       .server = "registry " + url.Shown(),
                                       .connect_timeout = settings.connect_timeout,
                                       .stall_timeout = settings.stall_timeout};
  std::from_chars(url.port.data(), url.port.data() + url.port.size(), connection.port);
  BANQUET_RETURN_NOT_OK(ReadQuery(url, &connection));
  if (connection.database.empty())
    return UserError("registry.path: name the database: mysql+pymysql://user@host/database");
  BANQUET_ASSIGN_OR_RETURN(auto opened, mysql::Connection::Open(connection));
  // A snapshot is one only at this level, which a server may have lowered.
  BANQUET_RETURN_NOT_OK(opened->Run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  // No change of the clock moves the leases' time. What finds no room in a column is refused, not
  // cut: older Feast made columns of 64 KiB.
  BANQUET_RETURN_NOT_OK(
      opened->Run("SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"));
  return std::make_unique<MysqlSession>(std::move(opened));
}

}  // namespace banquet::sql_registry
