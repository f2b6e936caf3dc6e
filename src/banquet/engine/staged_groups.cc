#include "banquet/engine/staged_groups.h"

#include <fmt/format.h>

#include <utility>

#include "banquet/base/log.h"
#include "banquet/engine/staged_source.h"

namespace banquet {

StagedManifest ManifestOf(const TaskGroup& group, const StagingFolder& folder,
                          bool has_created_time, std::vector<StagedFile> files) {
  const MaterializationTask& task = group.tasks.front();
  StagedManifest manifest{.run_id = folder.uri().substr(folder.uri().rfind('/') + 1),
                          .project = task.project,
                          .window = task.window,
                          .records_interval = task.records_interval,
                          .has_created_time = has_created_time,
                          .views = {},
                          .files = std::move(files)};
  for (const MaterializationTask& one : group.tasks) {
    std::string version;
    if (!one.records_interval && one.view.current_version_number > 0)
      version = fmt::format("v{}", one.view.current_version_number);
    manifest.views.push_back(
        {.view = one.view.name, .version = version, .storage_name = one.storage_name});
  }
  return manifest;
}

Status StagedGroups::Run(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
                         StagingArea* area, GroupLoad* load, const StageRows& stage) {
  const MaterializationTask& task = group.tasks.front();
  BANQUET_ASSIGN_OR_RETURN(StagingFolder folder,
                           area->Begin(task.project, task.storage_name, jobs.front()->id()));
  Result<StagedManifest> staged = stage(folder);
  if (staged.ok()) {
    const Status written = folder.WriteManifest(*staged);
    if (!written.ok()) staged = written;
  }
  if (!staged.ok()) {
    const Status removed = folder.Remove();
    if (!removed.ok()) LogWarning("{}", MessageOf(removed));
    return staged.status();
  }
  TaskGroup from_there = group;
  for (MaterializationTask& one : from_there.tasks) ReadStaged(*staged, folder.uri(), &one.view);
  const RowFates& fates = jobs.front()->fates();
  RowFates loaded;
  Status status = load->Run(context, from_there, jobs, context.staged_store, &loaded);
  if (status.ok() && loaded.winners != fates.winners) {
    status = Bug("{} rows were staged and {} loaded: {}", fates.winners.load(),
                 loaded.winners.load(), folder.uri());
  }
  const std::lock_guard lock(mutex_);
  whole_.insert_or_assign(jobs.front().get(), folder);
  return status;
}

void StagedGroups::Split(const Jobs& jobs) {
  const std::lock_guard lock(mutex_);
  const auto staged = whole_.extract(jobs.front().get());
  if (staged.empty()) return;
  const Status removed = staged.mapped().Remove();
  if (!removed.ok()) LogWarning("Staged rows could not be removed: {}", MessageOf(removed));
}

void StagedGroups::Done(const ExecutionContext& context, const Jobs& jobs, bool is_recorded) {
  const std::lock_guard lock(mutex_);
  const auto staged = whole_.find(jobs.front().get());
  if (staged == whole_.end()) return;
  StagingFolder& folder = staged->second;
  if (!is_recorded) {
    LogWarning("The newest rows stay in staging; `banquet load {}` repeats the load alone",
               folder.ManifestUri());
  } else if (!context.config->options.keep_staged) {
    const Status removed = folder.Remove();
    if (!removed.ok()) LogWarning("Staged rows could not be removed: {}", MessageOf(removed));
  }
  whole_.erase(staged);
}

}  // namespace banquet
