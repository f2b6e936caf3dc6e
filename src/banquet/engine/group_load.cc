#include "banquet/engine/group_load.h"

#include <filesystem>

#include "banquet/base/log.h"
#include "banquet/engine/run_share.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

std::string SpillDirectoryOf(const RunOptions& options) {
  if (!options.spill_directory.empty()) return options.spill_directory;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : folder.string();
}

}  // namespace

Status GroupLoad::Run(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
                      OfflineStore* offline_store, RowFates* fates) {
  PlanResources resources = Resources(context, offline_store, fates);
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

PlanResources GroupLoad::Resources(const ExecutionContext& context, OfflineStore* offline_store,
                                   RowFates* fates) {
  const RunOptions& options = context.config->options;
  const RunShare share = ShareOf(options, context.lanes(), context.engines);
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

Result<ExecutionPlan> PlanOf(const TaskGroup& group, const OfflineStore* offline_store,
                             WriteOrder order) {
  return FeatureBuilder(offline_store->capabilities(), order).Build(group);
}

void TellSpilled(const TaskGroup& group, const LoweredPlan& lowered,
                 const PlanResources& resources) {
  if (lowered.spilled_rows() == 0) return;
  LogInfo("view {}: {} rows went through {}", group.tasks.front().view.name, lowered.spilled_rows(),
          resources.spill_directory);
}

Status PrepareStores(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs) {
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

}  // namespace banquet
