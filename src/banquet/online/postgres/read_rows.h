#pragma once
// Reading entities back.

#include <span>
#include <string>

#include "banquet/client/postgres/connection.h"
#include "banquet/online/online_store.h"

namespace banquet::postgres {

// A view without a table has no rows.
Result<StoredRows> ReadRows(Connection* connection, const ViewColumns& view,
                            std::span<const std::string> keys);

}  // namespace banquet::postgres
