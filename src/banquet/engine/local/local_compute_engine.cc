#include "banquet/engine/local/local_compute_engine.h"

#include <utility>

#include "banquet/base/option_table.h"
#include "banquet/client/filesystem/spill_file.h"
#include "banquet/engine/group_load.h"
#include "banquet/engine/local/staging_sink.h"
#include "banquet/engine/staged_groups.h"

namespace banquet {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "backend",
     .type = OptionType::kChoice,
     .meaning = "Accepted for Feast's sake; both mean this engine.",
     .choices = "pandas|polars"},
};
constexpr std::string_view kIgnored[] = {"type"};

class LocalComputeEngine final : public ComputeEngine {
 public:
  explicit LocalComputeEngine(SourceReach reach) : reach_(std::move(reach)) {}
  ~LocalComputeEngine() override { JoinAll(); }

  EngineReach reach() const override {
    return {.reads = reach_.words, .sources = reach_.sources, .transformations = {}};
  }

  Result<PlannedTask> Plan(const ExecutionContext& context,
                           const MaterializationTask& task) override {
    BANQUET_ASSIGN_OR_RETURN(const TaskGroup group, MakeTaskGroup(context, task));
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan,
                             PlanOf(group, context.offline_store, context.write_order()));
    BANQUET_ASSIGN_OR_RETURN(Scan scan, context.offline_store->OpenScan(plan.scan().request));
    return PlannedTask{plan.ToString(), std::move(scan.summary)};
  }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    const RunOptions& options = context.config->options;
    // A folder that cannot be used is told before anything is read.
    if (!options.spill_directory.empty()) {
      BANQUET_RETURN_NOT_OK(SpillFile::Create(options.spill_directory).status());
    }
    RowFates* fates = &jobs.front()->fates();
    if (context.staging == nullptr)
      return load_.Run(context, group, jobs, context.offline_store, fates);
    return staged_.Run(
        context, group, jobs, context.staging, &load_,
        [&](const StagingFolder& folder) { return Stage(context, group, fates, folder); });
  }

  void GroupDone(const ExecutionContext& context, const Jobs& jobs, bool is_recorded) override {
    staged_.Done(context, jobs, is_recorded);
  }
  void GroupSplit(const Jobs& jobs) override { staged_.Split(jobs); }

 private:
  // From the source to a staging folder.
  Result<StagedManifest> Stage(const ExecutionContext& context, const TaskGroup& group,
                               RowFates* fates, const StagingFolder& folder) {
    PlanResources resources = load_.Resources(context, context.offline_store, fates);
    resources.dictionaries = false;
    // Who loads the rows puts them in order.
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan,
                             PlanOf(group, context.offline_store, WriteOrder::kAny));
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan lowered, LowerPlan(plan, resources));
    const bool is_contested = group.tasks.front().only_latest;
    BANQUET_ASSIGN_OR_RETURN(const auto sink, StagingSink::Make(&folder, *lowered.winner_schema(),
                                                                is_contested ? nullptr : fates));
    BANQUET_RETURN_NOT_OK(lowered.RunInto(sink.get()));
    TellSpilled(group, lowered, resources);
    return ManifestOf(group, folder, sink->has_created_time(), sink->files());
  }

  const SourceReach reach_;
  GroupLoad load_;
  StagedGroups staged_;
};

}  // namespace

Result<std::unique_ptr<ComputeEngine>> MakeLocalComputeEngine(const ConfigNode& block,
                                                              SourceReach reach) {
  if (block.kind == ConfigNode::Kind::kMap) {
    BANQUET_RETURN_NOT_OK(OptionValues::Parse(kOptions, block, "batch_engine", kIgnored).status());
  }
  return std::make_unique<LocalComputeEngine>(std::move(reach));
}

}  // namespace banquet
