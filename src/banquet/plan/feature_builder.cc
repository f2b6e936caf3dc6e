#include "banquet/plan/feature_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "banquet/model/entity.h"

namespace banquet {
namespace {

// The source column behind a feature or join key. Of two columns mapped to one name the last wins,
// as in Feast.
std::string SourceColumnOf(const DataSource& source, const std::string& name) {
  std::string column = name;
  for (const auto& [from, to] : source.field_mapping) {
    if (to == name) column = from;
  }
  return column;
}

// The columns that the group reads, each name once, keys first.
std::vector<RenameNode::Column> ColumnsOf(const TaskGroup& group, const DataSource& source) {
  std::vector<RenameNode::Column> columns;
  const auto add = [&](const std::string& name) {
    RenameNode::Column column{SourceColumnOf(source, name), name};
    if (std::ranges::find(columns, column) == columns.end()) columns.push_back(std::move(column));
  };
  for (const ViewColumns& view : group.columns) {
    for (const Field& key : view.join_keys) {
      if (key.name != kDummyJoinKey) add(key.name);
    }
    for (const Field& feature : view.features) add(feature.name);
  }
  return columns;
}

std::vector<std::string> KeyColumnsOf(const ViewColumns& view) {
  std::vector<std::string> names;
  for (const Field& key : view.join_keys) {
    if (key.name != kDummyJoinKey) names.push_back(key.name);
  }
  return names;
}

// The columns as they stand in the source, under the names of the features.
void AddScanned(const MaterializationTask& task, const std::vector<RenameNode::Column>& columns,
                const std::vector<std::string>& keys, std::vector<PlanNode>* nodes) {
  ScanNode scan{{.source = *task.view.batch_source, .columns = {}, .window = task.window}};
  if (task.only_latest) {
    scan.request.newest_of.emplace();
    for (const std::string& key : keys) {
      scan.request.newest_of->push_back(SourceColumnOf(scan.request.source, key));
    }
  }
  for (const RenameNode::Column& column : columns) {
    if (std::ranges::find(scan.request.columns, column.source) == scan.request.columns.end()) {
      scan.request.columns.push_back(column.source);
    }
  }
  nodes->emplace_back(std::move(scan));
  if (std::ranges::any_of(columns,
                          [](const auto& column) { return column.source != column.name; })) {
    nodes->emplace_back(RenameNode{.input = 0, .columns = columns});
  }
}

// The columns that the view's own SQL gives.
void AddTransformed(const MaterializationTask& task, const std::vector<RenameNode::Column>& columns,
                    std::vector<PlanNode>* nodes) {
  nodes->emplace_back(
      ScanNode{{.source = *task.view.batch_source, .columns = {}, .window = task.window}});
  TransformNode transform{.input = 0,
                          .function = task.view.transformation_name,
                          .text = task.view.transformation_text,
                          .columns = {},
                          .window = task.window};
  for (const RenameNode::Column& column : columns) transform.columns.push_back(column.name);
  nodes->emplace_back(std::move(transform));
}

}  // namespace

Result<ExecutionPlan> FeatureBuilder::Build(const TaskGroup& group) const {
  if (group.tasks.empty() || group.tasks.size() != group.columns.size()) {
    return Bug("A task group needs a view's columns for each of its tasks: {}", group.tasks.size());
  }
  const MaterializationTask& task = group.tasks.front();
  if (!task.view.batch_source.has_value()) {
    return UserError("The view has no batch source to materialize from: {}", task.view.name);
  }
  const DataSource& source = *task.view.batch_source;
  if (source.timestamp_field.empty()) {
    return UserError("The data source names no timestamp_field; set it and run `feast apply`: {}",
                     source.name);
  }
  for (const ViewColumns& view : group.columns) {
    if (view.features.empty()) {
      return UserError("The view has no features in the registry; run `feast apply`: {}",
                       view.view);
    }
  }
  std::vector<PlanNode> nodes;
  const auto last = [&] { return static_cast<int>(nodes.size()) - 1; };
  if (task.view.has_transformation) {
    AddTransformed(task, ColumnsOf(group, source), &nodes);
  } else {
    AddScanned(task, ColumnsOf(group, source), KeyColumnsOf(group.columns.front()), &nodes);
  }
  nodes.emplace_back(FilterNode{.input = last(),
                                .window = task.window,
                                .key_columns = KeyColumnsOf(group.columns.front()),
                                .fail_on_null_key = group.fail_on_null_key});
  if (task.only_latest && !capabilities_.latest_per_key) {
    nodes.emplace_back(LatestNode{.input = last(),
                                  .join_keys = group.columns.front().join_keys,
                                  .entity_key_version = group.columns.front().entity_key_version});
    if (order_ == WriteOrder::kByKey) {
      nodes.emplace_back(OrderNode{.input = last(),
                                   .join_keys = group.columns.front().join_keys,
                                   .entity_key_version = group.columns.front().entity_key_version});
    }
  }
  nodes.emplace_back(WriteNode{.input = last(), .views = group.columns});
  return ExecutionPlan(std::move(nodes));
}

std::optional<std::string> FeatureBuilder::WhyUnsupported(const FeatureView& view,
                                                          const EngineReach& reach) {
  switch (view.kind) {
    case ViewKind::kOnDemand:
      return "on-demand feature views with write_to_online_store are not materialized by this "
             "version";
    case ViewKind::kLabel:
      return "label views are never materialized";
    case ViewKind::kPlain:
    case ViewKind::kBatch:
    case ViewKind::kStream:
      break;
  }
  if (view.source_view_count > 0)
    return "views built on other views are not supported by this version";
  const bool is_run =
      std::ranges::find(reach.transformations, view.mode) != reach.transformations.end() &&
      !view.transformation_text.empty();
  if (view.has_transformation && !is_run) {
    return fmt::format("its transformation (mode {}) is not supported by this version",
                       view.mode.empty() ? "?" : view.mode);
  }
  if (!view.aggregations.empty()) return "aggregations are not supported by this version";
  if (view.enable_tiling) return "tiled aggregations are not supported by this version";
  if (view.offline && view.online)
    return "writing back to the offline store (offline=True) is not supported by this version";
  if (view.offline) return "it is written to the offline store only (offline=True, online=False)";
  if (view.batch_source.has_value() &&
      std::ranges::find(reach.sources, view.batch_source->type) == reach.sources.end()) {
    return fmt::format(
        "its batch source {} is a {}; this version reads {}", view.batch_source->name,
        view.batch_source->class_type.empty() ? std::string(NameOf(view.batch_source->type))
                                              : view.batch_source->class_type,
        reach.reads);
  }
  return std::nullopt;
}

}  // namespace banquet
