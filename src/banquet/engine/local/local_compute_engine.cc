#include "banquet/engine/local/local_compute_engine.h"

#include <filesystem>
#include <mutex>
#include <optional>

#include "banquet/base/log.h"
#include "banquet/base/memory_budget.h"
#include "banquet/base/option_table.h"
#include "banquet/client/filesystem/spill_file.h"
#include "banquet/engine/run_share.h"
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
    const FeatureBuilder builder(context.offline_store->capabilities(), context.write_order());
    BANQUET_ASSIGN_OR_RETURN(ExecutionPlan plan, builder.Build(group));
    const RunShare share = ShareOf(options, context.lanes());
    std::call_once(budget_made_, [&] { budget_.emplace(share.state_bytes); });
    PlanResources resources{.offline_store = context.offline_store,
                            .targets = {},
                            .fates = &jobs.front()->fates(),
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
    if (lowered.spilled_rows() > 0) {
      LogInfo("view {}: {} rows went through {}", group.tasks.front().view.name,
              lowered.spilled_rows(), resources.spill_directory);
    }
    return status;
  }

 private:
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
