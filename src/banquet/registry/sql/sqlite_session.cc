#include <utility>

#include "banquet/client/sqlite/database.h"
#include "banquet/registry/sql/sessions.h"

namespace banquet::sql_registry {
namespace {

constexpr SqlDialect kDialect = {
    .now_ms = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    .row_lock = "",  // The transaction holds the whole file.
    .insert = "INSERT INTO",
    .unless_there = "ON CONFLICT DO NOTHING",
    .tables = "SELECT name FROM sqlite_master WHERE type = 'table'",
    .begin_read = "BEGIN",
    .begin_write = "BEGIN IMMEDIATE",
    .may_create = "SELECT 1",
};

// Binds one value; texts and bytes are borrowed.
struct Binder {
  sqlite::Statement* statement;
  int parameter;
  Status operator()(int64_t value) const { return statement->BindInt(parameter, value); }
  Status operator()(const std::string& text) const { return statement->BindText(parameter, text); }
  Status operator()(const SqlBytes& value) const {
    return statement->BindBlob(parameter, value.bytes);
  }
};

std::optional<std::string> ValueAt(const sqlite::Statement& statement, int column) {
  if (statement.IsNull(column)) return std::nullopt;
  if (statement.IsNumber(column)) return std::to_string(statement.Int(column));
  return std::string(statement.Bytes(column));
}

class SqliteSession final : public SqlSession {
 public:
  explicit SqliteSession(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  const SqlDialect& dialect() const override { return kDialect; }

  Result<SqlAnswer> Run(std::string_view sql, std::span<const SqlValue> parameters) override {
    BANQUET_ASSIGN_OR_RETURN(sqlite::Statement statement, database_->Prepare(sql));
    for (size_t i = 0; i < parameters.size(); ++i) {
      BANQUET_RETURN_NOT_OK(std::visit(Binder{&statement, static_cast<int>(i) + 1}, parameters[i]));
    }
    SqlAnswer answer;
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const bool on_row, statement.Step());
      if (!on_row) break;
      SqlRow& row = answer.rows.emplace_back();
      for (int column = 0; column < statement.columns(); ++column)
        row.push_back(ValueAt(statement, column));
    }
    answer.matched = database_->changes();
    return answer;
  }

 private:
  std::unique_ptr<sqlite::Database> database_;
};

}  // namespace

Result<std::unique_ptr<SqlSession>> OpenSqliteSession(const SqlUrl& url,
                                                      const SessionSettings& settings) {
  if (!url.driver.empty() && url.driver != "pysqlite")
    return UserError("registry.path: sqlite+{} is not supported; write sqlite://", url.driver);
  if (!url.host.empty() || url.database.empty() || url.database == ":memory:") {
    return UserError(
        "registry.path: write sqlite:////folder/registry.db, or sqlite:///registry.db for a file "
        "in the repository");
  }
  for (const auto& [key, value] : url.query) {
    // What governs Python's threads and waits alone.
    if (key != "timeout" && key != "check_same_thread")
      return UserError("registry.path: '{}' of an SQLite URL is not supported; remove it", key);
  }
  BANQUET_ASSIGN_OR_RETURN(auto database,
                           sqlite::Database::Open({.path = url.database,
                                                   .create = false,
                                                   .busy_timeout = settings.stall_timeout,
                                                   .stop = settings.stop,
                                                   .clock = settings.clock}));
  return std::make_unique<SqliteSession>(std::move(database));
}

}  // namespace banquet::sql_registry
