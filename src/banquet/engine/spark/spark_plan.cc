#include "banquet/engine/spark/spark_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "banquet/model/entity.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

template <typename Node>
const Node* Find(const ExecutionPlan& plan) {
  for (const PlanNode& node : plan.nodes()) {
    if (const auto* found = std::get_if<Node>(&node)) return found;
  }
  return nullptr;
}

// The columns of the rows: as the view's SQL gives them, the plan renames them, or they are read.
Json ColumnsOf(const ExecutionPlan& plan) {
  auto columns = Json::array();
  const auto add = [&](const std::string& source, const std::string& name) {
    columns.push_back({{"source", source}, {"name", name}});
  };
  if (const auto* transform = Find<TransformNode>(plan)) {
    for (const std::string& name : transform->columns) add(name, name);
  } else if (const auto* rename = Find<RenameNode>(plan)) {
    for (const RenameNode::Column& column : rename->columns) add(column.source, column.name);
  } else {
    for (const std::string& name : plan.scan().request.columns) add(name, name);
  }
  return columns;
}

// Of what Spark compares the job has to know how entity keys of it are.
Json KeysOf(const ExecutionPlan& plan) {
  auto keys = Json::array();
  const auto* filter = Find<FilterNode>(plan);
  const auto* latest = Find<LatestNode>(plan);
  if (filter == nullptr || latest == nullptr) return keys;
  for (const std::string& name : filter->key_columns) {
    const auto key = std::ranges::find(latest->join_keys, name, &Field::name);
    keys.push_back(
        {{"name", name}, {"type", key == latest->join_keys.end() ? "" : NameOf(key->type)}});
  }
  return keys;
}

Json SourceOf(const DataSource& source, const SparkPath& path) {
  std::string format = source.table_format.empty() ? source.file_format : source.table_format;
  if (format.empty()) format = "parquet";
  // Feast's default.
  const std::string days = source.date_partition_column_format.empty()
                               ? "%Y-%m-%d"
                               : source.date_partition_column_format;
  // Of a query and a path, Feast reads the query and writes back to the path.
  return {{"table", source.table},
          {"query", source.query},
          {"path", path.uri},
          {"is_literal", path.is_literal},
          {"format", format},
          {"options", source.table_format_options},
          {"timestamp", source.timestamp_field},
          {"created", source.created_timestamp_column},
          {"partition", source.date_partition_column},
          {"partition_format", days},
          {"mapping", source.field_mapping}};
}

}  // namespace

std::string SparkPlanToJson(const ExecutionPlan& plan, const SparkTarget& target,
                            const SparkPath& source_path, const std::string& run_id) {
  const ScanRequest& scan = plan.scan().request;
  const auto* filter = Find<FilterNode>(plan);
  const auto* transform = Find<TransformNode>(plan);
  Json json = {{"banquet_spark", kFormat},
               {"run_id", run_id},
               {"source", SourceOf(scan.source, source_path)},
               {"transform", nullptr},
               {"columns", ColumnsOf(plan)},
               {"window", {{"start_us", scan.window.start_us}, {"end_us", scan.window.end_us}}},
               {"join_keys", KeysOf(plan)},
               {"fail_on_null_key", filter != nullptr && filter->fail_on_null_key},
               {"stage", target.stage_uri},
               {"frame", target.frame.has_value() ? SinkFrameToJson(*target.frame) : ""},
               {"sink", target.runtime.program},
               {"library_path", target.runtime.library_path}};
  if (transform != nullptr)
    json["transform"] = {{"name", transform->function}, {"text", transform->text}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SparkResult> SparkResultFromJson(std::string_view text, const std::string& run_id) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  SparkResult result;
  try {
    if (json.at("banquet_spark") != kFormat || json.at("run_id") != run_id)
      return DataError("The result of the Spark job is of another run or version");
    result.application = json.at("application");
    if (json.contains("error")) {
      result.condition = json["error"].at("condition");
      result.error = json["error"].at("message");
      if (result.error.empty()) result.error = "it does not say why";
      return result;
    }
    result.winners = json.at("winners");
    const Json& rows = json.at("rows");
    result.read = rows.at("read");
    result.null_time = rows.at("null_time");
    result.null_key = rows.at("null_key");
    result.outside_window = rows.at("outside_window");
    std::set<int> seen;
    for (const Json& task : json.at("tasks")) {
      if (!seen.insert(task.at("partition").get<int>()).second)
        return DataError("Two tasks of the Spark job tell of one partition");
      const int64_t sent = task.at("rows");
      if (sent == 0) continue;
      BANQUET_ASSIGN_OR_RETURN(const SinkReport report,
                               SinkReportFromJson(task.at("report").get<std::string>()));
      if (report.rows != sent) {
        return DataError("A task of the Spark job sent {} rows, its sink tells of {}", sent,
                         report.rows);
      }
      result.written.rows += sent;
      for (const SinkCounts& counts : report.counts) {
        const auto sum = std::ranges::find_if(result.written.counts, [&](const SinkCounts& one) {
          return one.store == counts.store && one.view == counts.view;
        });
        if (sum == result.written.counts.end()) {
          result.written.counts.push_back(counts);
          continue;
        }
        sum->written += counts.written;
        sum->stale += counts.stale;
        sum->unchanged += counts.unchanged;
        sum->bytes += counts.bytes;
      }
    }
  } catch (const Json::exception&) {
    return DataError("The result of the Spark job is damaged");
  }
  for (const int64_t count :
       {result.read, result.null_time, result.null_key, result.outside_window, result.winners}) {
    if (count < 0) return DataError("The result of the Spark job tells of {} rows", count);
  }
  return result;
}

}  // namespace banquet
