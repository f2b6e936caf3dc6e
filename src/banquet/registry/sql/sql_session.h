#pragma once
// A conversation with the database of an SQL registry, alike for every product.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"

namespace banquet::sql_registry {

struct SqlBytes {
  std::string bytes;
};
using SqlValue = std::variant<int64_t, std::string, SqlBytes>;

// Whole numbers as decimals, texts in UTF-8, binary columns as their bytes; nullopt: NULL.
using SqlRow = std::vector<std::optional<std::string>>;

struct SqlAnswer {
  std::vector<SqlRow> rows;
  int64_t matched = 0;  // Rows that an UPDATE or DELETE found or an INSERT added.
};

// What differs between the products in the few statements of a registry.
struct SqlDialect {
  std::string_view now_ms;        // The database's own clock: milliseconds since 1970, UTC.
  std::string_view row_lock;      // Ends a SELECT whose rows are about to be changed.
  std::string_view insert;        // Begins an INSERT that leaves a row of the same key alone, …
  std::string_view unless_there;  // … and ends it.
  std::string_view tables;        // Selects the names of the tables that unqualified names reach.
  std::string_view begin_read;    // A transaction that sees one state of the whole database.
  std::string_view begin_write;
  std::string_view may_create;  // Selects 1 if tables may be made here, else 0; empty: cannot tell.
};

struct SessionSettings {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  Clock* clock = &SystemClock();
  std::stop_token stop;
};

// Used by one thread. After a retryable error drop it; what was not committed is then undone.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  virtual const SqlDialect& dialect() const = 0;
  // One statement; each ? stands for one of `parameters`, and none stands in a literal.
  virtual Result<SqlAnswer> Run(std::string_view sql, std::span<const SqlValue> parameters) = 0;

  Result<SqlAnswer> Run(std::string_view sql) { return Run(sql, {}); }
  Status Commit() { return Run("COMMIT").status(); }
};

}  // namespace banquet::sql_registry
