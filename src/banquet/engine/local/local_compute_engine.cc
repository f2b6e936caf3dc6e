#include "banquet/engine/local/local_compute_engine.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "banquet/base/log.h"
#include "banquet/base/memory_budget.h"
#include "banquet/base/option_table.h"
#include "banquet/client/filesystem/spill_file.h"
#include "banquet/engine/local/staging_sink.h"
#include "banquet/engine/run_share.h"
#include "banquet/engine/staged_source.h"
#include "banquet/exec/lower_plan.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "backend",
     .type = OptionType::kChoice,
     .meaning = "Accepted for Feast's sake; both mean this engine.",
     .choices = "pandas|polars"},
};
constexpr std::string_view kIgnored[] = {"type"};

std::string SpillDirectoryOf(const RunOptions& options) {
  if (!options.spill_directory.empty()) return options.spill_directory;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : folder.string();
}

class LocalComputeEngine final : public ComputeEngine {
 public:
  ~LocalComputeEngine() override { JoinAll(); }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    const RunOptions& options = context.config->options;
    // A folder that cannot be used is told before anything is read.
    if (!options.spill_directory.empty()) {
      BANQUET_RETURN_NOT_OK(SpillFile::Create(options.spill_directory).status());
    }
    if (context.staging != nullptr) return StageAndLoad(context, group, jobs);
    return Load(context, group, jobs, context.offline_store, &jobs.front()->fates());
  }

  // What is staged goes once it is not needed any more.
  void GroupDone(const ExecutionContext& context, const Jobs& jobs, bool is_recorded) override {
    const std::lock_guard lock(staged_mutex_);
    const auto staged = staged_.find(jobs.front().get());
    if (staged == staged_.end()) return;
    StagingFolder& folder = staged->second;
    if (!is_recorded) {
      LogWarning("The newest rows stay in staging; `banquet load {}` repeats the load alone",
                 folder.ManifestUri());
    } else if (!context.config->options.keep_staged) {
      const Status removed = folder.Remove();
      if (!removed.ok()) LogWarning("Staged rows could not be removed: {}", MessageOf(removed));
    }
    staged_.erase(staged);
  }

 private:
  // From the store to the online stores.
  Status Load(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
              OfflineStore* offline_store, RowFates* fates) {
    PlanResources resources = ResourcesOf(context, offline_store, fates);
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan,
                             PlanOf(group, offline_store, context.write_order()));
    for (StoreLanes* lanes : context.online_stores) {
      WriteTarget& target = resources.targets.emplace_back();
      target.lanes = lanes;
      for (const auto& job : jobs) {
        target.tallies.push_back(&job->AddStore(lanes->name(), std::string(lanes->store().type())));
      }
    }
    // The source first: a mistake in it costs no contact with the stores.
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan lowered, LowerPlan(plan, resources));
    BANQUET_RETURN_NOT_OK(PrepareStores(context, group, jobs));
    const Status status = lowered.Run();
    TellSpilled(group, lowered, resources);
    return status;
  }

  // From the source to a staging folder; gives what lies there.
  Result<StagedManifest> Stage(const ExecutionContext& context, const TaskGroup& group,
                               RowFates* fates, StagingFolder* folder) {
    PlanResources resources = ResourcesOf(context, context.offline_store, fates);
    resources.dictionaries = false;
    // Who loads the rows puts them in order.
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan,
                             PlanOf(group, context.offline_store, WriteOrder::kAny));
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan lowered, LowerPlan(plan, resources));
    const MaterializationTask& task = group.tasks.front();
    BANQUET_ASSIGN_OR_RETURN(
        const auto sink,
        StagingSink::Make(folder, *lowered.winner_schema(), task.only_latest ? nullptr : fates));
    BANQUET_RETURN_NOT_OK(lowered.RunInto(sink.get()));
    TellSpilled(group, lowered, resources);
    StagedManifest manifest{.run_id = NameOfRun(*folder),
                            .project = task.project,
                            .window = task.window,
                            .records_interval = task.records_interval,
                            .has_created_time = sink->has_created_time(),
                            .views = {},
                            .files = sink->files()};
    for (const MaterializationTask& one : group.tasks) {
      std::string version;
      if (!one.records_interval && one.view.current_version_number > 0)
        version = fmt::format("v{}", one.view.current_version_number);
      manifest.views.push_back(
          {.view = one.view.name, .version = version, .storage_name = one.storage_name});
    }
    BANQUET_RETURN_NOT_OK(folder->WriteManifest(manifest));
    return manifest;
  }

  Status StageAndLoad(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs) {
    const MaterializationTask& task = group.tasks.front();
    BANQUET_ASSIGN_OR_RETURN(
        StagingFolder folder,
        context.staging->Begin(task.project, task.storage_name, jobs.front()->id()));
    RowFates& fates = jobs.front()->fates();
    const Result<StagedManifest> staged = Stage(context, group, &fates, &folder);
    if (!staged.ok()) {
      const Status removed = folder.Remove();
      if (!removed.ok()) LogWarning("{}", MessageOf(removed));
      return staged.status();
    }
    TaskGroup from_there = group;
    for (MaterializationTask& one : from_there.tasks)
      one.view.batch_source = StagedSource(*staged, folder.uri());
    RowFates loaded;
    Status status = Load(context, from_there, jobs, context.staged_store, &loaded);
    if (status.ok() && loaded.winners != fates.winners) {
      status = Bug("{} rows were staged and {} loaded: {}", fates.winners.load(),
                   loaded.winners.load(), folder.uri());
    }
    const std::lock_guard lock(staged_mutex_);
    staged_.insert_or_assign(jobs.front().get(), folder);
    return status;
  }

  static std::string NameOfRun(const StagingFolder& folder) {
    return folder.uri().substr(folder.uri().rfind('/') + 1);
  }

  static Result<ExecutionPlan> PlanOf(const TaskGroup& group, const OfflineStore* offline_store,
                                      WriteOrder order) {
    const FeatureBuilder builder(offline_store->capabilities(), order);
    return builder.Build(group);
  }

  static void TellSpilled(const TaskGroup& group, const LoweredPlan& lowered,
                          const PlanResources& resources) {
    if (lowered.spilled_rows() == 0) return;
    LogInfo("view {}: {} rows went through {}", group.tasks.front().view.name,
            lowered.spilled_rows(), resources.spill_directory);
  }

  PlanResources ResourcesOf(const ExecutionContext& context, OfflineStore* offline_store,
                            RowFates* fates) {
    const RunOptions& options = context.config->options;
    const RunShare share = ShareOf(options, context.lanes());
    std::call_once(budget_made_, [&] { budget_.emplace(share.state_bytes); });
    return PlanResources{.offline_store = offline_store,
                         .targets = {},
                         .fates = fates,
                         .retry = {.timeout = options.retry_timeout},
                         .clock = context.clock,
                         .workers = share.workers,
                         .writers = share.writers,
                         .stop = context.stop,
                         .budget = &*budget_,
                         .spill_directory = SpillDirectoryOf(options),
                         .late_materialization = options.late_materialization,
                         .skip_row_groups = options.skip_row_groups,
                         .dictionaries = options.dictionaries};
  }

  // A store that cannot be prepared is left out of the run, which fails at its end, or at once
  // where no store is left.
  static Status PrepareStores(const ExecutionContext& context, const TaskGroup& group,
                              const Jobs& jobs) {
    size_t prepared = 0;
    Status failure;
    for (StoreLanes* lanes : context.online_stores) {
      const Status status = lanes->store().Prepare(group.columns);
      if (status.ok()) {
        ++prepared;
        continue;
      }
      if (FaultOf(status) == Fault::kCancelled) return status;
      for (const auto& job : jobs) job->StoreFailed(lanes->name(), status);
      if (failure.ok()) failure = status;
    }
    return prepared == 0 ? failure : Status::OK();
  }

  std::mutex staged_mutex_;
  std::map<const MaterializationJob*, StagingFolder>
      staged_;  // Whole ones, by their group's first.
  std::once_flag budget_made_;
  std::optional<MemoryBudget> budget_;  // Of all groups together.
};

}  // namespace

Result<std::unique_ptr<ComputeEngine>> MakeLocalComputeEngine(const ConfigNode& block) {
  if (block.kind == ConfigNode::Kind::kMap) {
    BANQUET_RETURN_NOT_OK(OptionValues::Parse(kOptions, block, "batch_engine", kIgnored).status());
  }
  return std::make_unique<LocalComputeEngine>();
}

Result<PlannedTask> PlanTask(const ExecutionContext& context, const MaterializationTask& task) {
  BANQUET_ASSIGN_OR_RETURN(TaskGroup group, MakeTaskGroup(context, task));
  const FeatureBuilder builder(context.offline_store->capabilities(), context.write_order());
  BANQUET_ASSIGN_OR_RETURN(ExecutionPlan plan, builder.Build(group));
  BANQUET_ASSIGN_OR_RETURN(Scan scan, context.offline_store->OpenScan(plan.scan().request));
  return PlannedTask{plan.ToString(), std::move(scan.summary)};
}

}  // namespace banquet
