#pragma once
// Rows of an offline store into the online stores of a run, in this process.

#include <mutex>
#include <optional>

#include "banquet/base/memory_budget.h"
#include "banquet/base/status.h"
#include "banquet/engine/compute_engine.h"
#include "banquet/exec/lower_plan.h"
#include "banquet/plan/task_group.h"

namespace banquet {

// Of all groups of an engine, which share one memory budget. Safe to share between threads.
class GroupLoad {
 public:
  // Reads, decides and writes one group. `fates`: borrowed, of its rows.
  Status Run(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
             OfflineStore* offline_store, RowFates* fates);
  // For a plan of one's own: everything but the targets.
  PlanResources Resources(const ExecutionContext& context, OfflineStore* offline_store,
                          RowFates* fates);

 private:
  std::once_flag budget_made_;
  std::optional<MemoryBudget> budget_;
};

// The plan over that store, its rows in that order.
Result<ExecutionPlan> PlanOf(const TaskGroup& group, const OfflineStore* offline_store,
                             WriteOrder order);

// In the log, where rows went through files.
void TellSpilled(const TaskGroup& group, const LoweredPlan& lowered,
                 const PlanResources& resources);

// The stores' own preparations. One that fails is left out of the run, which fails at its end, or
// at once where no store is left.
Status PrepareStores(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs);

}  // namespace banquet
