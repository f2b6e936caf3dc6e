#include "banquet/exec/lower_plan.h"

#include <algorithm>
#include <utility>

#include "arrow/type.h"
#include "banquet/exec/filter_transform.h"
#include "banquet/exec/one_pass_source.h"
#include "banquet/exec/order_sink.h"
#include "banquet/exec/rename_transform.h"
#include "banquet/exec/row_recall.h"
#include "banquet/exec/scan_source.h"
#include "banquet/model/entity.h"

namespace banquet {

// Visits the nodes in their order. The stages before a contest are made when the contest is met,
// since they then read keys and times only.
class Lowering {
 public:
  Lowering(const ExecutionPlan& plan, const PlanResources& resources, LoweredPlan* lowered)
      : resources_(resources), lowered_(*lowered) {
    const auto has = [&]<typename Node>(const Node*) {
      return std::ranges::any_of(
          plan.nodes(), [](const PlanNode& node) { return std::holds_alternative<Node>(node); });
    };
    // What a breaker keeps may go to disk, which dictionaries cannot.
    keeps_dictionaries_ =
        resources.dictionaries && !has(static_cast<const OrderNode*>(nullptr)) &&
        (resources.late_materialization || !has(static_cast<const LatestNode*>(nullptr)));
    lowered_.workers_ = resources.workers;
    lowered_.writers_ = std::max(resources.workers, resources.writers);
    lowered_.stop_ = resources.stop;
  }

  Status operator()(const ScanNode& node) {
    ScanRequest request = node.request;
    request.keep_dictionaries = keeps_dictionaries_;
    BANQUET_ASSIGN_OR_RETURN(Scan scan, resources_.offline_store->OpenScan(request));
    lowered_.scan_summary_ = scan.summary;
    resources_.fates->pruned += scan.summary.rows_pruned;
    resources_.fates->total += scan.summary.rows - scan.summary.rows_pruned;
    schema_ = scan.schema;
    stream_ = std::move(scan.stream);
    scan_ = std::make_shared<const Scan>(std::move(scan));
    return Status::OK();
  }

  Status operator()(const TransformNode& node) {
    return Bug("SQL of a view reached an engine that runs none: {}", node.function);
  }
  Status operator()(const RenameNode& node) {
    rename_ = &node;
    BANQUET_ASSIGN_OR_RETURN(whole_rename_, MakeRenameTransform(node.columns, *schema_));
    schema_ = whole_rename_.schema;
    return Status::OK();
  }

  Status operator()(const FilterNode& node) {
    filter_ = &node;
    return Status::OK();
  }

  Status operator()(const LatestNode& node) {
    const std::vector<int> keys = KeyColumnsOf(node);
    const bool late = resources_.late_materialization && stream_ == nullptr;
    ScanReading reading = ReadingOf(late ? keys : scan_->AllColumns());
    reading.fragments = NewestFirst(*scan_);
    BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Schema> schema,
                             AddFirstStages(reading.columns));
    LatestSettings settings{
        .ranges = RangesOf(*scan_),
        .recall = late ? MakeScanRecall(scan_, resources_.fates)
                       : MakeSpoolRecall(resources_.budget, resources_.spill_directory),
        .budget = resources_.budget,
        .spill_directory = resources_.spill_directory,
        .stop = resources_.stop,
        .fates = resources_.fates};
    BANQUET_ASSIGN_OR_RETURN(lowered_.latest_, MakeLatestSink(node, *schema, std::move(settings)));
    if (resources_.skip_row_groups) {
      LatestBreaker* latest = lowered_.latest_.get();
      const int key = keys.size() == 1 ? keys.front() : -1;
      reading.may_skip = [latest, key](const ScanFragment& fragment) {
        return latest->CannotWin(fragment, key);
      };
    }
    lowered_.source_ = SourceOf(std::move(reading));
    if (late && rename_ != nullptr) {
      lowered_.winner_transforms_.push_back(std::move(whole_rename_.transform));
    }
    return Status::OK();
  }

  Status operator()(const OrderNode& node) {
    BANQUET_ASSIGN_OR_RETURN(lowered_.order_,
                             MakeOrderSink(node, schema_,
                                           {.budget = resources_.budget,
                                            .spill_directory = resources_.spill_directory,
                                            .stop = resources_.stop}));
    return Status::OK();
  }

  Status operator()(const WriteNode& node) {
    lowered_.winner_schema_ = schema_;
    WriteSettings settings{
        .retry = resources_.retry, .clock = resources_.clock, .stop = resources_.stop};
    if (lowered_.latest_ == nullptr) {
      ScanReading reading = ReadingOf(scan_->AllColumns());
      reading.fragments = InInputOrder(*scan_);
      BANQUET_RETURN_NOT_OK(AddFirstStages(reading.columns).status());
      lowered_.source_ = SourceOf(std::move(reading));
      settings.count_winners = resources_.fates;
    }
    BANQUET_ASSIGN_OR_RETURN(
        lowered_.sink_, MakeWriteSink(node, *schema_, resources_.targets, std::move(settings)));
    return Status::OK();
  }

 private:
  ScanReading ReadingOf(std::vector<int> columns) const {
    return {.scan = scan_,
            .columns = std::move(columns),
            .fragments = {},
            .may_skip = {},
            .fates = resources_.fates};
  }

  std::unique_ptr<Source> SourceOf(ScanReading reading) {
    if (stream_ != nullptr) return MakeOnePassSource(std::move(stream_), resources_.fates);
    return MakeScanSource(std::move(reading));
  }

  // The source's columns behind the join keys, by place in the scan's schema. A missing one is told
  // by whoever looks for it by name.
  std::vector<int> KeyColumnsOf(const LatestNode& node) const {
    std::vector<int> columns;
    for (const Field& key : node.join_keys) {
      if (key.name == kDummyJoinKey) continue;
      const int column = scan_->schema->GetFieldIndex(SourceNameOf(key.name));
      if (column >= 0 && std::ranges::find(columns, column) == columns.end()) {
        columns.push_back(column);
      }
    }
    return columns;
  }

  std::string SourceNameOf(const std::string& name) const {
    if (rename_ == nullptr) return name;
    const auto column = std::ranges::find(rename_->columns, name, &RenameNode::Column::name);
    return column == rename_->columns.end() ? name : column->source;
  }

  // Rename and filter for a reading of these columns; gives the schema of what comes out.
  Result<std::shared_ptr<arrow::Schema>> AddFirstStages(const std::vector<int>& columns) {
    arrow::FieldVector fields;
    for (const int column : columns) fields.push_back(scan_->schema->field(column));
    std::vector<RenameNode::Column> renamed;
    if (rename_ != nullptr) {
      for (const RenameNode::Column& column : rename_->columns) {
        const bool is_read = std::ranges::any_of(
            fields, [&](const auto& field) { return field->name() == column.source; });
        if (is_read) renamed.push_back(column);
      }
    }
    for (int i = scan_->columns; i < scan_->schema->num_fields(); ++i) {
      fields.push_back(scan_->schema->field(i));
    }
    std::shared_ptr<arrow::Schema> schema = arrow::schema(std::move(fields));
    if (rename_ != nullptr) {
      BANQUET_ASSIGN_OR_RETURN(RenamedStage stage, MakeRenameTransform(renamed, *schema));
      schema = std::move(stage.schema);
      lowered_.transforms_.push_back(std::move(stage.transform));
    }
    if (filter_ != nullptr) {
      BANQUET_ASSIGN_OR_RETURN(lowered_.transforms_.emplace_back(),
                               MakeFilterTransform(*filter_, *schema, resources_.fates));
    }
    return schema;
  }

  const PlanResources& resources_;
  LoweredPlan& lowered_;
  bool keeps_dictionaries_ = false;
  std::shared_ptr<const Scan> scan_;
  std::unique_ptr<FragmentReader> stream_;  // The scan's, where it is one that is read once.
  std::shared_ptr<arrow::Schema> schema_;   // Of whole rows after the nodes so far.
  const RenameNode* rename_ = nullptr;
  RenamedStage whole_rename_;
  const FilterNode* filter_ = nullptr;
};

Result<LoweredPlan> LowerPlan(const ExecutionPlan& plan, const PlanResources& resources) {
  LoweredPlan lowered;
  Lowering lowering(plan, resources, &lowered);
  for (const PlanNode& node : plan.nodes()) {
    BANQUET_RETURN_NOT_OK(std::visit([&](const auto& step) { return lowering(step); }, node));
  }
  return lowered;
}

Status LoweredPlan::RunInto(Sink* sink) {
  Pipeline read{std::move(source_), std::move(transforms_), nullptr};
  if (latest_ == nullptr) {
    // Every row of the window is written, in input order: one worker.
    read.sink = sink;
    return RunPipeline(read, 1, stop_);
  }
  read.sink = latest_.get();
  BANQUET_RETURN_NOT_OK(RunPipeline(read, workers_, stop_));
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<Source> winners, latest_->Output());
  Pipeline whole{std::move(winners), std::move(winner_transforms_), nullptr};
  if (order_ != nullptr) {
    whole.sink = order_.get();
    BANQUET_RETURN_NOT_OK(RunPipeline(whole, workers_, stop_));
    BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<Source> ordered, order_->Output());
    whole = Pipeline{std::move(ordered), {}, nullptr};
  }
  whole.sink = sink;
  return RunPipeline(whole, writers_, stop_);
}

}  // namespace banquet
