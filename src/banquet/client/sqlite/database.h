#pragma once
// SQLite's C library behind RAII and our errors; the only folder that sees sqlite3.h.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace banquet::sqlite {

struct DatabaseOptions {
  std::string path;  // Absolute.
  bool create = true;
  bool read_only = false;
  std::chrono::milliseconds busy_timeout{60'000};  // How long to wait for another's lock.
  std::stop_token stop;                            // Ends such a wait, and a running statement.
  Clock* clock = &SystemClock();                   // Borrowed, outlives the database.
};

class FeedRows;
class Statement;

// One connection. Used by one thread at a time; outlives its statements.
//
// Errors: held by another (after busy_timeout) is a retryable remote error that names who; full
// disk and I/O remote; no right, no folder, read-only and no database at all are the user's; a
// damaged file is a data error; a requested stop is a cancellation.
class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that give no rows.
  Status Execute(const std::string& sql);
  Result<Statement> Prepare(std::string_view sql);
  // Columns of a table in their order; nullopt: there is no such table.
  Result<std::optional<std::vector<std::string>>> ColumnsOf(std::string_view table);
  // Makes rows readable by statements of this connection as the table `name`; `columns` as in
  // CREATE TABLE. No table of a file can have a name that begins with "sqlite_": such a name hides
  // none and is hidden by none. The rows are borrowed until the last statement over them is gone.
  Status AddFeed(const std::string& name, const std::string& columns, const FeedRows* rows);
  bool in_transaction() const;
  int64_t changes() const;  // Rows that the last INSERT, UPDATE or DELETE touched.
  // Of a call that has just failed: was it for its SQL, as these tables take it, and not for the
  // file, the memory or another's lock?
  bool last_error_is_of_sql() const;
  const std::string& path() const { return options_.path; }

 private:
  friend class Statement;
  explicit Database(DatabaseOptions options) : options_(std::move(options)) {}
  static int OnBusy(void* self, int attempts);
  static int OnProgress(void* self);
  Status ErrorOf(int code) const;

  const DatabaseOptions options_;
  sqlite3* handle_ = nullptr;
  std::chrono::steady_clock::time_point busy_since_;
  bool stopped_ = false;
};

// A prepared statement: (Bind* Step* Reset)*. Parameters and columns count from 1 and from 0, as in
// SQLite.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Bytes and text are borrowed until they are bound anew. Zero bytes stay a value, not NULL.
  Status BindBlob(int parameter, std::string_view bytes);
  Status BindText(int parameter, std::string_view text);
  Status BindInt(int parameter, int64_t value);
  Status BindReal(int parameter, double value);
  Status BindNull(int parameter);
  Status BindIntOrNull(int parameter, const std::optional<int64_t>& value);

  Result<bool> Step();  // True: on a row.
  Status Run();         // Steps to the end and resets.
  void Reset();

  int columns() const;
  bool IsNull(int column) const;
  bool IsNumber(int column) const;
  bool IsText(int column) const;
  std::string_view Bytes(int column) const;  // Of a blob or text; until the next Step or Reset.
  int64_t Int(int column) const;

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
  Status Check(int code) const;

  Database* database_;
  sqlite3_stmt* handle_;
};

// A write transaction, taken at once (BEGIN IMMEDIATE). Rolls back when dropped before Commit
// succeeded.
class Transaction {
 public:
  static Result<Transaction> Begin(Database* database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status Commit();  // On return everything is on the disk.

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace banquet::sqlite
