#include "banquet/engine/compute_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "banquet/base/exception_guard.h"
#include "banquet/base/time_text.h"
#include "banquet/engine/lock_keeper.h"
#include "banquet/engine/run_share.h"
#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

std::string NewJobId(const std::string& view) {
  std::random_device random;
  return fmt::format("{}-{:08x}{:08x}", view, random(), random());
}

// What a source's owner calls and says of it changes nothing of what is read.
DataSource Unnamed(DataSource source) {
  source.name.clear();
  source.description.clear();
  source.owner.clear();
  source.tags.clear();
  return source;
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

bool MayShare(const TaskGroup& a, const TaskGroup& b) {
  const MaterializationTask& first = a.tasks.front();
  const MaterializationTask& second = b.tasks.front();
  const ViewColumns& columns = a.columns.front();
  const ViewColumns& others = b.columns.front();
  return first.view.batch_source.has_value() && second.view.batch_source.has_value() &&
         Unnamed(*first.view.batch_source) == Unnamed(*second.view.batch_source) &&
         first.view.transformation_text == second.view.transformation_text &&
         first.project == second.project && first.window == second.window && first.only_latest &&
         second.only_latest && columns.join_keys == others.join_keys &&
         columns.entity_key_version == others.entity_key_version && columns.guard == others.guard &&
         a.fail_on_null_key == b.fail_on_null_key;
}

Jobs ComputeEngine::Materialize(const ExecutionContext& context, std::vector<SelectedTask> tasks) {
  Jobs jobs;
  std::vector<PendingGroup> alone;
  for (SelectedTask& selected : tasks) {
    const std::string& name = selected.task.view.name;
    auto job =
        jobs.emplace_back(std::make_shared<MaterializationJob>(NewJobId(name), selected.task));
    if (!selected.refusal.ok()) {
      if (MaySkip(context.config->options.unsupported, selected)) {
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
    alone.push_back({std::move(*group), {job}});
  }
  FormGroups(context, std::move(alone), &pending_);
  const RunShare share = ShareOf(context.config->options, context.lanes(), context.engines);
  groups_at_once_ = std::min(share.groups, static_cast<int>(pending_.size()));
  for (int i = 0; i < groups_at_once_; ++i) {
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

void ComputeEngine::FormGroups(const ExecutionContext& context, std::vector<PendingGroup> alone,
                               std::vector<PendingGroup>* groups) {
  for (PendingGroup& one : alone) {
    const auto home = std::ranges::find_if(*groups, [&](const PendingGroup& group) {
      return context.config->options.share_reads && MayShare(group.group, one.group);
    });
    if (home == groups->end()) {
      groups->push_back(std::move(one));
      continue;
    }
    home->group.tasks.push_back(std::move(one.group.tasks.front()));
    home->group.columns.push_back(std::move(one.group.columns.front()));
    home->jobs.push_back(std::move(one.jobs.front()));
  }
}

// Views are locked in the order of their names, so that two runs never wait for each other. One
// that is held leaves the group.
void ComputeEngine::RunGroup(const ExecutionContext& context, PendingGroup pending) {
  if (context.stop.stop_requested()) {
    for (const auto& job : pending.jobs) job->Finish(CancelledError());
    return;
  }
  for (const auto& job : pending.jobs) job->Start();
  std::vector<size_t> order(pending.jobs.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return pending.group.tasks[i].view.name; });
  std::vector<std::unique_ptr<ViewLock>> locks;
  LockKeeper keeper(*context.clock);  // From the first lock on: others may be waited for.
  std::vector<bool> is_locked(pending.jobs.size(), false);
  for (const size_t i : order) {
    const MaterializationTask& task = pending.group.tasks[i];
    Result<std::unique_ptr<ViewLock>> lock = context.registry->LockView(
        task.project, task.view.name, context.config->options.lock_wait, context.stop);
    if (lock.ok()) {
      locks.push_back(*std::move(lock));
      keeper.Keep(locks.back().get());
      is_locked[i] = true;
    } else {
      pending.jobs[i]->Finish(lock.status());
    }
  }
  std::vector<PendingGroup> alone;
  std::shared_ptr<const RegistryContents> contents;  // Read under the locks, if anybody asks.
  for (size_t i = 0; i < pending.jobs.size(); ++i) {
    if (!is_locked[i]) continue;
    MaterializationTask& task = pending.group.tasks[i];
    if (task.incremental && task.records_interval) {
      if (contents == nullptr) {
        Result<std::shared_ptr<const RegistryContents>> read = context.registry->Read();
        if (!read.ok()) {
          pending.jobs[i]->Finish(read.status());
          continue;
        }
        contents = *std::move(read);
      }
      if (!FollowRegistry(context, *contents, &task, pending.jobs[i].get())) continue;
    }
    alone.push_back({.group = {.tasks = {std::move(task)},
                               .columns = {std::move(pending.group.columns[i])},
                               .fail_on_null_key = pending.group.fail_on_null_key},
                     .jobs = {std::move(pending.jobs[i])}});
  }
  // One whose window moved leaves the group.
  std::vector<PendingGroup> groups;
  FormGroups(context, std::move(alone), &groups);
  for (const PendingGroup& group : groups) RunLocked(context, group);
}

bool ComputeEngine::FollowRegistry(const ExecutionContext& context,
                                   const RegistryContents& contents, MaterializationTask* task,
                                   MaterializationJob* job) {
  const Result<bool> moved = FollowRecordedIntervals(contents, context.clock->NowUs(), task);
  if (moved.ok() && !*moved) return true;
  job->Follow(*task);
  if (!moved.ok()) {
    job->Finish(moved.status());
    return false;
  }
  job->Warn(fmt::format("Another run recorded an interval meanwhile; the window begins at {}",
                        FormatInstant(task->window.start_us)));
  return true;
}

void ComputeEngine::RunLocked(const ExecutionContext& context, const PendingGroup& pending) {
  const Status status = WithoutExceptions([&] { return Attempt(context, pending); });
  const Fault fault = status.ok() ? Fault::kBug : FaultOf(status);
  if (pending.jobs.size() > 1 && (fault == Fault::kUser || fault == Fault::kData)) {
    // One view's column or value may be the reason: each by itself. Rewriting is harmless.
    GroupSplit(pending.jobs);
    for (size_t i = 0; i < pending.jobs.size(); ++i) {
      RunLocked(context, {.group = {.tasks = {pending.group.tasks[i]},
                                    .columns = {pending.group.columns[i]},
                                    .fail_on_null_key = pending.group.fail_on_null_key},
                          .jobs = {pending.jobs[i]}});
    }
    return;
  }
  bool is_recorded = status.ok();
  for (const auto& job : pending.jobs) {
    const Status recorded = status.ok() ? Record(context, job.get()) : status;
    is_recorded = is_recorded && recorded.ok();
    // Before the job is finished, and with it perhaps the program.
    if (job == pending.jobs.back()) GroupDone(context, pending.jobs, is_recorded);
    job->Finish(recorded);
  }
}

Status ComputeEngine::Attempt(const ExecutionContext& context, const PendingGroup& pending) {
  if (context.stop.stop_requested()) return CancelledError();
  const auto fates = std::make_shared<RowFates>();
  for (const auto& job : pending.jobs) job->BeginAttempt(fates);
  BANQUET_RETURN_NOT_OK(MaterializeGroup(context, pending.group, pending.jobs));
  if (context.expected_winners.has_value() && fates->winners != *context.expected_winners) {
    return DataError("{} rows were to be written, the source has {}", *context.expected_winners,
                     fates->winners.load());
  }
  Status failure;
  for (StoreLanes* lanes : context.online_stores) {
    const Status status = lanes->store().ConfirmWritten();
    if (status.ok()) continue;
    for (const auto& job : pending.jobs) job->StoreFailed(lanes->name(), status);
    if (failure.ok()) failure = status;
  }
  return failure;
}

Status ComputeEngine::Record(const ExecutionContext& context, MaterializationJob* job) {
  BANQUET_RETURN_NOT_OK(job->report().CheckSums());
  if (context.stop.stop_requested()) return CancelledError();
  const MaterializationTask& task = job->task();
  if (!task.records_interval) return Status::OK();
  Result<std::optional<std::string>> warning = context.registry->RecordMaterialization(
      {.project = task.project, .view = task.view.name, .window = task.window});
  if (!warning.ok()) {
    return Annotate(warning.status(),
                    "Everything is written, but the interval could not be recorded");
  }
  if (warning->has_value()) job->Warn(**warning);
  return Status::OK();
}

}  // namespace banquet
