#include "banquet/plan/execution_plan.h"

#include <fmt/format.h>

#include "banquet/base/time_text.h"

namespace banquet {
namespace {

std::string NamesOf(const std::vector<Field>& fields) {
  std::string names;
  for (const Field& field : fields) {
    names += fmt::format("{}{}:{}", names.empty() ? "" : ", ", field.name, NameOf(field.type));
  }
  return names;
}

std::string PlaceOf(const DataSource& source) {
  if (!source.table.empty()) return source.table;
  return source.query.empty() ? source.uri : "a query";
}

struct Printer {
  std::string operator()(const ScanNode& node) const {
    const DataSource& source = node.request.source;
    return fmt::format(
        "scan    {} {} ({})  columns: {}  time: {}{}", NameOf(source.type), source.name,
        PlaceOf(source),
        node.request.columns.empty() ? "all"
                                     : fmt::format("{}", fmt::join(node.request.columns, ", ")),
        source.timestamp_field,
        source.created_timestamp_column.empty() ? ""
                                                : "  created: " + source.created_timestamp_column);
  }
  std::string operator()(const TransformNode& node) const {
    return fmt::format("sql     {}  gives: {}", node.function, fmt::join(node.columns, ", "));
  }
  std::string operator()(const RenameNode& node) const {
    std::string pairs;
    for (const RenameNode::Column& column : node.columns) {
      if (column.source == column.name) continue;
      pairs += fmt::format("{}{} -> {}", pairs.empty() ? "" : ", ", column.source, column.name);
    }
    return "rename  " + pairs;
  }
  std::string operator()(const FilterNode& node) const {
    return fmt::format("filter  {} <= event time <= {}, no null key{}",
                       FormatInstant(node.window.start_us), FormatInstant(node.window.end_us),
                       node.fail_on_null_key ? " (a null key fails the view)" : "");
  }
  std::string operator()(const LatestNode& node) const {
    return fmt::format("latest  newest row per ({})", NamesOf(node.join_keys));
  }
  std::string operator()(const OrderNode& node) const {
    return fmt::format("order   by serialized key ({})", NamesOf(node.join_keys));
  }
  std::string operator()(const WriteNode& node) const {
    std::string views;
    for (const ViewColumns& view : node.views) {
      views += fmt::format("{}{} ({} features)", views.empty() ? "" : ", ", view.view,
                           view.features.size());
    }
    return "write   " + views;
  }
};

}  // namespace

std::string ExecutionPlan::ToString() const {
  std::string text;
  for (const PlanNode& node : nodes_) text += std::visit(Printer{}, node) + "\n";
  return text;
}

}  // namespace banquet
