#pragma once
// What a driver says of a call that failed, and who can mend it.

#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/sql/dialect.h"

namespace banquet::adbc {

struct DriverFailure {
  int code = 0;           // AdbcStatusCode; 0: not told.
  std::string sql_state;  // Five letters, or empty.
  std::string text;
};

// The server in errors, and what may not stand in any.
struct ServerName {
  SqlProduct product = SqlProduct::kPostgres;
  std::string words;                 // "Postgres at localhost:5432/features".
  std::vector<std::string> secrets;  // As they may stand in a driver's text.
};

// Logins, rights, and databases, tables and columns that are not there are the user's; values that
// a query stumbles over are data errors; what may pass by itself is a retryable remote error, as
// are lost and refused connections. Codes of SQL's standard decide where the driver tells them,
// else its text: DuckDB and SQLite have no codes, nor has a refused login at Postgres.
Status StatusOf(const DriverFailure& failure, const ServerName& server);

// Whether the same login may succeed in a while: the server starts, stops or is full.
bool IsBusy(const Status& status);

// The text in one line, without the query and the marks under it, and without secrets.
std::string PlainText(std::string_view text, const ServerName& server);

}  // namespace banquet::adbc
