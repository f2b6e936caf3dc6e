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
#include "banquet/model/scan_request.h"
#include "banquet/plan/engine_reach.h"
#include "banquet/plan/task_group.h"

namespace banquet {

using Jobs = std::vector<std::shared_ptr<MaterializationJob>>;

// What an engine would do with a task.
struct PlannedTask {
  std::string plan;
  ScanSummary scan;
};

// Forms task groups and runs them in parallel and apart from each other: a failing group does not
// stop the others, and a view that fails by its own data or definition leaves its group to the
// other views. Each kind of engine implements MaterializeGroup. An engine serves one Materialize
// call; its destructor waits for the jobs.
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
  Jobs Materialize(const ExecutionContext& context, std::vector<SelectedTask> tasks);

  virtual EngineReach reach() const = 0;
  // For `banquet plan` and `check`: the plan, and what is found of its source. Nothing is written.
  virtual Result<PlannedTask> Plan(const ExecutionContext& context,
                                   const MaterializationTask& task) = 0;

 protected:
  // Reads, decides and writes one group; `jobs` stand beside the group's tasks. Records nothing.
  virtual Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                                  const Jobs& jobs) = 0;
  // After every attempt at a group that is not split: whether all of it is written, confirmed and
  // recorded.
  virtual void GroupDone(const ExecutionContext& /*context*/, const Jobs& /*jobs*/,
                         bool /*is_recorded*/) {}
  // After an attempt at a group whose views are tried each by itself then.
  virtual void GroupSplit(const Jobs& /*jobs*/) {}
  // How many groups run beside each other, at most.
  int groups_at_once() const { return groups_at_once_; }
  // Joins the group threads; called by the destructor of each final class, before it loses its own
  // members.
  void JoinAll() { threads_.clear(); }

 private:
  struct PendingGroup {
    TaskGroup group;
    Jobs jobs;
  };
  static void FormGroups(const ExecutionContext& context, std::vector<PendingGroup> alone,
                         std::vector<PendingGroup>* groups);
  void RunGroups(const ExecutionContext& context);
  void RunGroup(const ExecutionContext& context, PendingGroup pending);
  // What another run recorded before the lock was ours moves the window of an incremental task;
  // false if the job is finished by an error.
  static bool FollowRegistry(const ExecutionContext& context, const RegistryContents& contents,
                             MaterializationTask* task, MaterializationJob* job);
  // Materializes a group whose views are locked, and finishes its jobs.
  void RunLocked(const ExecutionContext& context, const PendingGroup& pending);
  Status Attempt(const ExecutionContext& context, const PendingGroup& pending);
  static Status Record(const ExecutionContext& context, MaterializationJob* job);

  std::mutex mutex_;
  std::vector<PendingGroup> pending_;
  size_t next_ = 0;
  int groups_at_once_ = 1;
  std::vector<std::jthread> threads_;
};

// The group of one task.
Result<TaskGroup> MakeTaskGroup(const ExecutionContext& context, const MaterializationTask& task);

// Whether the tasks of two groups may share a scan, a contest and the commands of a store: equal
// source (whatever its name), keys, filter, window and guard.
bool MayShare(const TaskGroup& a, const TaskGroup& b);

}  // namespace banquet
