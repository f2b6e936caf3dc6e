#pragma once
// A scan request as a query of one connection.

#include <memory>
#include <string>

#include "banquet/offline/adbc/connection.h"
#include "banquet/offline/offline_store.h"

namespace banquet::adbc {

// Where the names of tables that lack them are looked for; empty: where the connection does.
struct NameSpaces {
  std::string catalog;
  std::string schema;
};

// Asks for the columns' types, and makes the stream, which runs the query when its first row is
// asked for. Postgres and DuckDB are asked by a query without rows. SQLite gives types to values
// and not to columns, so that it looks at those of the window; a column of texts, or bytes, and
// other values is a data error.
Result<Scan> PlanSqlScan(const ScanRequest& request, const NameSpaces& spaces, SqlProduct product,
                         std::shared_ptr<Connection> connection);

}  // namespace banquet::adbc
