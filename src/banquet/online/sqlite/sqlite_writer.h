#pragma once
// Writes rows of a task group into the tables of its views.

#include <memory>
#include <span>
#include <vector>

#include "banquet/client/sqlite/database.h"
#include "banquet/online/online_store.h"
#include "banquet/online/sqlite/stored_time.h"
#include "banquet/online/sqlite/view_table.h"

namespace banquet::sqlite {

struct WriterSettings {
  TableForm form;
  TimeRule times = TimeRule::kPython;
  bool feed = true;  // A statement per flush; else one per row.
};

// A writer with a connection of its own. A flush is one transaction: all rows taken, or none.
Result<std::unique_ptr<OnlineWriter>> MakeWriter(std::unique_ptr<Database> database,
                                                 std::span<const ViewColumns> views,
                                                 const WriterSettings& settings);

}  // namespace banquet::sqlite
