#include "banquet/exec/lower_plan.h"

#include <utility>
#include <variant>

#include "arrow/type.h"
#include "banquet/exec/filter_transform.h"
#include "banquet/exec/latest_sink.h"
#include "banquet/exec/rename_transform.h"
#include "banquet/exec/scan_source.h"

namespace banquet {
namespace {

// The stages made so far, while the nodes are visited in order.
struct Stages {
  std::unique_ptr<Source> source;
  std::vector<std::unique_ptr<Transform>> transforms;
  std::unique_ptr<Breaker> breaker;
  std::unique_ptr<Sink> sink;
  std::shared_ptr<arrow::Schema> schema;  // Of the rows that leave the last stage.
  ScanSummary summary;
};

class Lowering {
 public:
  Lowering(const PlanResources& resources, Stages* stages)
      : resources_(resources), stages_(*stages) {}

  Status operator()(const ScanNode& node) {
    BANQUET_ASSIGN_OR_RETURN(Scan scan, resources_.offline_store->OpenScan(node.request));
    stages_.schema = scan.schema;
    stages_.summary = std::move(scan.summary);
    resources_.fates->pruned += stages_.summary.rows_pruned;
    resources_.fates->total += stages_.summary.rows - stages_.summary.rows_pruned;
    stages_.source = MakeScanSource(std::move(scan), resources_.fates);
    return Status::OK();
  }

  Status operator()(const RenameNode& node) {
    BANQUET_ASSIGN_OR_RETURN(RenamedStage renamed,
                             MakeRenameTransform(node.columns, *stages_.schema));
    stages_.schema = std::move(renamed.schema);
    stages_.transforms.push_back(std::move(renamed.transform));
    return Status::OK();
  }

  Status operator()(const FilterNode& node) {
    BANQUET_ASSIGN_OR_RETURN(stages_.transforms.emplace_back(),
                             MakeFilterTransform(node, *stages_.schema, resources_.fates));
    return Status::OK();
  }

  Status operator()(const LatestNode& node) {
    BANQUET_ASSIGN_OR_RETURN(stages_.breaker,
                             MakeLatestSink(node, *stages_.schema, resources_.fates));
    return Status::OK();
  }

  Status operator()(const WriteNode& node) {
    WriteSettings settings{
        .retry = resources_.retry, .clock = resources_.clock, .stop = resources_.stop};
    if (stages_.breaker == nullptr) settings.count_winners = resources_.fates;
    BANQUET_ASSIGN_OR_RETURN(stages_.sink, MakeWriteSink(node, *stages_.schema, resources_.targets,
                                                         std::move(settings)));
    return Status::OK();
  }

 private:
  const PlanResources& resources_;
  Stages& stages_;
};

}  // namespace

Result<LoweredPlan> LowerPlan(const ExecutionPlan& plan, const PlanResources& resources) {
  Stages stages;
  Lowering lowering(resources, &stages);
  for (const PlanNode& node : plan.nodes()) BANQUET_RETURN_NOT_OK(std::visit(lowering, node));
  LoweredPlan lowered;
  lowered.source_ = std::move(stages.source);
  lowered.transforms_ = std::move(stages.transforms);
  lowered.breaker_ = std::move(stages.breaker);
  lowered.sink_ = std::move(stages.sink);
  lowered.scan_summary_ = std::move(stages.summary);
  // Without a breaker every row of the window is written, in input order: one worker.
  lowered.workers_ = lowered.breaker_ == nullptr ? 1 : resources.workers;
  lowered.stop_ = resources.stop;
  return lowered;
}

Status LoweredPlan::RunInto(Sink* sink) {
  Pipeline read{std::move(source_), std::move(transforms_), nullptr};
  if (breaker_ == nullptr) {
    read.sink = sink;
    return RunPipeline(read, workers_, stop_);
  }
  read.sink = breaker_.get();
  BANQUET_RETURN_NOT_OK(RunPipeline(read, workers_, stop_));
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<Source> winners, breaker_->Output());
  const Pipeline write{std::move(winners), {}, sink};
  return RunPipeline(write, workers_, stop_);
}

}  // namespace banquet
