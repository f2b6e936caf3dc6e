#pragma once
// The breaker that puts rows into the order of their keys.

#include <memory>
#include <stop_token>
#include <string>

#include "arrow/type_fwd.h"
#include "banquet/base/memory_budget.h"
#include "banquet/exec/stage.h"
#include "banquet/plan/node.h"

namespace banquet {

struct OrderSettings {
  MemoryBudget* budget = nullptr;  // Borrowed.
  std::string spill_directory;
  std::stop_token stop;  // Looked at while runs are merged on disk.
};

// Ascending by serialized entity key; keys are distinct (they come from a contest). Each batch is
// sorted as it comes and kept, in memory or beyond the budget on disk; the output merges them, in
// batches of what a store is given at once. The schema has no dictionaries.
Result<std::unique_ptr<Breaker>> MakeOrderSink(const OrderNode& node,
                                               const std::shared_ptr<arrow::Schema>& schema,
                                               OrderSettings settings);

}  // namespace banquet
