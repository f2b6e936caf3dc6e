#pragma once
// The table that Feast keeps for a view (docs/formats/postgres.md).

#include <cstdint>
#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/client/postgres/connection.h"
#include "banquet/model/view_columns.h"

namespace banquet::postgres {

// How a table is made where there is none.
struct TableForm {
  std::string schema;      // db_schema: made too if it is not there.
  std::string owner;       // Of the schema.
  bool value_num = false;  // enable_openai_compatible_store: also added to a table without it.
};

// A view's table as the server has it.
struct ViewTable {
  std::string name;            // Quoted.
  std::string id;              // The server's number for it: another one is another table.
  bool has_value_num = false;  // Feast fills it wherever it is.
  bool has_vector = false;
};

// nullopt: no such table in db_schema or public. One that is not as Feast makes it is a user error.
Result<std::optional<ViewTable>> FindTable(Connection* connection, const ViewColumns& view);

// Makes schema, table and indexes by Feast's text where there is no table; a table that is there
// asks for no right to make one. Within a transaction of the caller.
Result<ViewTable> EnsureTable(Connection* connection, const ViewColumns& view,
                              const TableForm& form);

}  // namespace banquet::postgres
