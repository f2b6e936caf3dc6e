#pragma once
// The verb: takes tasks, gives jobs.

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/execution_context.h"
#include "banquet/engine/materialization_job.h"
#include "banquet/engine/task_selection.h"
#include "banquet/plan/task_group.h"

namespace banquet {

// Forms task groups and runs them in parallel and apart from each other: a failing group does not
// stop the others. Each kind of engine implements MaterializeGroup. An engine serves one
// Materialize call; its destructor waits for the jobs.
class ComputeEngine {
 public:
  virtual ~ComputeEngine();
  ComputeEngine() = default;
  ComputeEngine(const ComputeEngine&) = delete;
  ComputeEngine& operator=(const ComputeEngine&) = delete;

  // One job per task, in order; returns while they run. A refused task's job is finished at once.
  // Per group: lock the views, materialize, confirm the stores, check the sums, record each
  // interval last. `context` is borrowed until the engine is destroyed. To cancel, request stop on
  // the context's token.
  std::vector<std::shared_ptr<MaterializationJob>> Materialize(const ExecutionContext& context,
                                                               std::vector<SelectedTask> tasks);

 protected:
  using Jobs = std::vector<std::shared_ptr<MaterializationJob>>;
  // Reads, decides and writes one group; `jobs` stand beside the group's tasks. Records nothing.
  virtual Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                                  const Jobs& jobs) = 0;
  // Joins the group threads; called by the destructor of each final class, before it loses its own
  // members.
  void JoinAll() { threads_.clear(); }

 private:
  struct PendingGroup {
    TaskGroup group;
    Jobs jobs;
  };
  void RunGroups(const ExecutionContext& context);
  void RunGroup(const ExecutionContext& context, const PendingGroup& pending);
  Status RunLocked(const ExecutionContext& context, const PendingGroup& pending);
  Status Record(const ExecutionContext& context, const PendingGroup& pending);

  std::mutex mutex_;
  std::vector<PendingGroup> pending_;
  size_t next_ = 0;
  std::vector<std::jthread> threads_;
};

// Groups tasks whose views can share a scan. This version puts every task into a group of its own.
Result<TaskGroup> MakeTaskGroup(const ExecutionContext& context, const MaterializationTask& task);

}  // namespace banquet
