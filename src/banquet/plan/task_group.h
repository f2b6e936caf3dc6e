#pragma once
// The unit of execution: tasks that share one scan, one contest and one encode.

#include <vector>

#include "banquet/model/materialization_task.h"
#include "banquet/model/view_columns.h"

namespace banquet {

// Tasks with equal source, keys, filter and window, and what each writes. A task that shares with
// no other is a group of one. `columns` stands beside `tasks`, same length.
struct TaskGroup {
  std::vector<MaterializationTask> tasks;
  std::vector<ViewColumns> columns;
  bool fail_on_null_key = false;
};

}  // namespace banquet
