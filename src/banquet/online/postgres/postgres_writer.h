#pragma once
// Writes rows of a task group into the tables of its views.

#include <memory>
#include <span>
#include <vector>

#include "banquet/client/postgres/connection.h"
#include "banquet/online/online_store.h"
#include "banquet/online/postgres/fresh_tables.h"
#include "banquet/online/postgres/view_table.h"

namespace banquet::postgres {

// A writer with a connection of its own. A flush is one transaction: all rows taken, or none.
// `tables` are those of `views`; `fresh` is borrowed and outlives the writer.
Result<std::unique_ptr<OnlineWriter>> MakeWriter(std::unique_ptr<Connection> connection,
                                                 std::span<const ViewColumns> views,
                                                 std::vector<ViewTable> tables, FreshTables* fresh);

}  // namespace banquet::postgres
