#include "banquet/client/sqlite/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "banquet/client/sqlite/lock_holders.h"

namespace banquet::sqlite {
namespace {

constexpr std::chrono::milliseconds kBusyWaitMax{50};
// Of SQLite's machine, between looks at the stop token: some dozens of rows. The few of a ROLLBACK
// or a COMMIT are never interrupted.
constexpr int kStepsPerLook = 1000;

// SQLite's own text, after the place.
Status Refused(Retry retry, const std::string& path, const char* text) {
  return RemoteError(retry, "SQLite database {} failed: {}", path, text);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(DatabaseOptions options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(options.path, ignored)) {
    return UserError("SQLite path is a directory; give the path of a file: {}", options.path);
  }
  std::unique_ptr<Database> database(new Database(std::move(options)));
  const DatabaseOptions& kept = database->options_;
  int flags = kept.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (kept.create && !kept.read_only) flags |= SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(kept.path.c_str(), &database->handle_,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) return database->ErrorOf(code);
  sqlite3_busy_handler(database->handle_, &Database::OnBusy, database.get());
  if (kept.stop.stop_possible()) {
    sqlite3_progress_handler(database->handle_, kStepsPerLook, &Database::OnProgress,
                             database.get());
  }
  // The first read of the file: tells a database from any other file.
  BANQUET_RETURN_NOT_OK(database->Execute("SELECT count(*) FROM sqlite_master"));
  if (!kept.read_only && sqlite3_db_readonly(database->handle_, "main") == 1) {
    return database->ErrorOf(SQLITE_READONLY);
  }
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

int Database::OnBusy(void* self, int attempts) {
  auto* database = static_cast<Database*>(self);
  const DatabaseOptions& options = database->options_;
  const auto now = options.clock->Steady();
  if (attempts == 0) database->busy_since_ = now;
  database->stopped_ = options.stop.stop_requested();
  if (database->stopped_ || now - database->busy_since_ >= options.busy_timeout) return 0;
  const auto wait = std::min<std::chrono::milliseconds>(
      std::chrono::milliseconds(1 << std::min(attempts, 6)), kBusyWaitMax);
  database->stopped_ = !options.clock->Wait(wait, options.stop);
  return database->stopped_ ? 0 : 1;
}

int Database::OnProgress(void* self) {
  return static_cast<Database*>(self)->options_.stop.stop_requested() ? 1 : 0;
}

Status Database::ErrorOf(int code) const {
  const char* text = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  const std::string& path = options_.path;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      if (stopped_) return CancelledError();
      return RemoteError(
          {.retryable = true},
          "SQLite database is locked by {}; waited {} ms (banquet.stall_timeout): {}",
          HoldersOfLock(path), options_.busy_timeout.count(), path);
    case SQLITE_INTERRUPT:
      return CancelledError();
    case SQLITE_SCHEMA:
      return Refused({.retryable = true}, path, text);
    case SQLITE_FULL:
      return RemoteError({}, "SQLite database cannot grow, the disk or quota is full: {}", path);
    case SQLITE_READONLY:
      return UserError("SQLite database is read-only; allow writing to the file and its folder: {}",
                       path);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return UserError(
          "SQLite database cannot be opened; check that its folder exists and may be written: {}",
          path);
    case SQLITE_NOTADB:
      return UserError("File is not a SQLite database; give another online_store.path: {}", path);
    case SQLITE_CORRUPT:
      return DataError("SQLite database is damaged ({}): {}", text, path);
    case SQLITE_TOOBIG:
      return DataError("Value is larger than SQLite takes (1 GB), for database {}", path);
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Bug("SQLite was misused ({}) on {}", text, path);
    case SQLITE_IOERR: {
      const int cause = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
      if (cause == 0) return Refused({}, path, text);
      return RemoteError({}, "SQLite database {} failed: {}: {}", path, text, std::strerror(cause));
    }
    default:
      return Refused({}, path, text);
  }
}

Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::OK() : ErrorOf(code);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code);
  return Statement(this, handle);
}

Result<std::optional<std::vector<std::string>>> Database::ColumnsOf(std::string_view table) {
  BANQUET_ASSIGN_OR_RETURN(Statement statement, Prepare("SELECT name FROM pragma_table_info(?)"));
  BANQUET_RETURN_NOT_OK(statement.BindText(1, table));
  std::vector<std::string> columns;
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) break;
    columns.emplace_back(statement.Bytes(0));
  }
  if (columns.empty()) return std::nullopt;
  return columns;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

int64_t Database::changes() const { return sqlite3_changes64(handle_); }

bool Database::last_error_is_of_sql() const {
  return (sqlite3_errcode(handle_) & 0xff) == SQLITE_ERROR;
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Status Statement::Check(int code) const {
  return code == SQLITE_OK ? Status::OK() : database_->ErrorOf(code);
}

Status Statement::BindBlob(int parameter, std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  return Check(sqlite3_bind_blob64(handle_, parameter, data, bytes.size(), SQLITE_STATIC));
}

Status Statement::BindText(int parameter, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  return Check(
      sqlite3_bind_text64(handle_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Status Statement::BindInt(int parameter, int64_t value) {
  return Check(sqlite3_bind_int64(handle_, parameter, value));
}

Status Statement::BindReal(int parameter, double value) {
  return Check(sqlite3_bind_double(handle_, parameter, value));
}

Status Statement::BindNull(int parameter) { return Check(sqlite3_bind_null(handle_, parameter)); }

Status Statement::BindIntOrNull(int parameter, const std::optional<int64_t>& value) {
  return value.has_value() ? BindInt(parameter, *value) : BindNull(parameter);
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Status status = database_->ErrorOf(code);
  sqlite3_reset(handle_);
  return status;
}

Status Statement::Run() {
  bool row = true;
  while (row) {
    BANQUET_ASSIGN_OR_RETURN(row, Step());
  }
  sqlite3_reset(handle_);
  return Status::OK();
}

void Statement::Reset() { sqlite3_reset(handle_); }

int Statement::columns() const { return sqlite3_column_count(handle_); }

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

bool Statement::IsNumber(int column) const {
  const int type = sqlite3_column_type(handle_, column);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

bool Statement::IsText(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_TEXT;
}

std::string_view Statement::Bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  const int size = sqlite3_column_bytes(handle_, column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<size_t>(size));
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }

Result<Transaction> Transaction::Begin(Database* database) {
  BANQUET_RETURN_NOT_OK(database->Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // An error may have rolled back already.
  if (database_ != nullptr && database_->in_transaction()) {
    [[maybe_unused]] const Status ignored = database_->Execute("ROLLBACK");
  }
}

Status Transaction::Commit() {
  BANQUET_RETURN_NOT_OK(database_->Execute("COMMIT"));
  database_ = nullptr;
  return Status::OK();
}

}  // namespace banquet::sqlite
