#include "banquet/engine/local/local_compute_engine.h"

#include <algorithm>
#include <thread>

#include "banquet/base/option_table.h"
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

int WorkersOf(const RunOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

class LocalComputeEngine final : public ComputeEngine {
 public:
  ~LocalComputeEngine() override { JoinAll(); }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    const FeatureBuilder builder(context.offline_store->capabilities(), context.write_order());
    BANQUET_ASSIGN_OR_RETURN(ExecutionPlan plan, builder.Build(group));
    MaterializationJob& job = *jobs.front();
    PlanResources resources{.offline_store = context.offline_store,
                            .targets = {},
                            .fates = &job.fates(),
                            .retry = {.timeout = context.config->options.retry_timeout},
                            .clock = context.clock,
                            .workers = WorkersOf(context.config->options),
                            .stop = context.stop};
    for (StoreLanes* lanes : context.online_stores) {
      resources.targets.push_back(
          {lanes, &job.AddStore(lanes->name(), std::string(lanes->store().type()))});
    }
    // The source first: a mistake in it costs no contact with the stores.
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan lowered, LowerPlan(plan, resources));
    for (StoreLanes* lanes : context.online_stores)
      BANQUET_RETURN_NOT_OK(lanes->store().Prepare(group.columns));
    return lowered.Run();
  }
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
