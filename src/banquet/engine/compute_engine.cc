#include "banquet/engine/compute_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

std::string NewJobId(const std::string& view) {
  std::random_device random;
  return fmt::format("{}-{:08x}{:08x}", view, random(), random());
}

}  // namespace

ComputeEngine::~ComputeEngine() = default;

Result<TaskGroup> MakeTaskGroup(const ExecutionContext& context, const MaterializationTask& task) {
  TaskGroup group;
  group.tasks.push_back(task);
  BANQUET_ASSIGN_OR_RETURN(group.columns.emplace_back(),
                           ViewColumnsOf(task, *context.contents, *context.config));
  group.fail_on_null_key = context.config->options.OnNullKeyOf(task.view.name) == OnNullKey::kFail;
  return group;
}

std::vector<std::shared_ptr<MaterializationJob>> ComputeEngine::Materialize(
    const ExecutionContext& context, std::vector<SelectedTask> tasks) {
  Jobs jobs;
  const UnsupportedRule& unsupported = context.config->options.unsupported;
  for (SelectedTask& selected : tasks) {
    const std::string& name = selected.task.view.name;
    auto job =
        jobs.emplace_back(std::make_shared<MaterializationJob>(NewJobId(name), selected.task));
    if (!selected.refusal.ok()) {
      const bool skip = selected.unsupported &&
                        (unsupported.skip_all || std::ranges::find(unsupported.skip_views, name) !=
                                                     unsupported.skip_views.end());
      if (skip) {
        job->Skip(MessageOf(selected.refusal));
      } else {
        job->Finish(selected.refusal);
      }
      continue;
    }
    Result<TaskGroup> group = MakeTaskGroup(context, selected.task);
    if (!group.ok()) {
      job->Finish(group.status());
      continue;
    }
    pending_.push_back({std::move(*group), {job}});
  }
  const size_t parallel = std::max(1, context.config->options.parallel_groups);
  for (size_t i = 0; i < std::min(parallel, pending_.size()); ++i) {
    threads_.emplace_back([this, &context] { RunGroups(context); });
  }
  return jobs;
}

void ComputeEngine::RunGroups(const ExecutionContext& context) {
  while (true) {
    size_t index = 0;
    {
      std::lock_guard lock(mutex_);
      if (next_ == pending_.size()) return;
      index = next_++;
    }
    RunGroup(context, pending_[index]);
  }
}

void ComputeEngine::RunGroup(const ExecutionContext& context, const PendingGroup& pending) {
  if (context.stop.stop_requested()) {
    for (const auto& job : pending.jobs) job->Finish(CancelledError());
    return;
  }
  for (const auto& job : pending.jobs) job->Start();
  const Status status = RunLocked(context, pending);
  for (const auto& job : pending.jobs) job->Finish(status);
}

Status ComputeEngine::RunLocked(const ExecutionContext& context, const PendingGroup& pending) {
  std::vector<std::unique_ptr<ViewLock>> locks;
  for (const MaterializationTask& task : pending.group.tasks) {
    BANQUET_ASSIGN_OR_RETURN(
        locks.emplace_back(),
        context.registry->LockView(task.project, task.view.name, context.config->options.lock_wait,
                                   context.stop));
  }
  BANQUET_RETURN_NOT_OK(MaterializeGroup(context, pending.group, pending.jobs));
  for (StoreLanes* lanes : context.online_stores)
    BANQUET_RETURN_NOT_OK(lanes->store().ConfirmWritten());
  for (const auto& job : pending.jobs) BANQUET_RETURN_NOT_OK(job->report().CheckSums());
  if (context.stop.stop_requested()) return CancelledError();
  return Record(context, pending);
}

Status ComputeEngine::Record(const ExecutionContext& context, const PendingGroup& pending) {
  for (size_t i = 0; i < pending.group.tasks.size(); ++i) {
    const MaterializationTask& task = pending.group.tasks[i];
    if (!task.records_interval) continue;
    Result<std::optional<std::string>> warning = context.registry->RecordMaterialization(
        {.project = task.project, .view = task.view.name, .window = task.window});
    if (!warning.ok()) {
      return Annotate(warning.status(),
                      "Everything is written, but the interval could not be recorded");
    }
    if (warning->has_value()) pending.jobs[i]->Warn(**warning);
  }
  return Status::OK();
}

}  // namespace banquet
