#include "banquet/engine/spark/spark_plan.h"

#include <nlohmann/json.hpp>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using nlohmann::json;

ScanNode Scan() {
  ScanNode scan;
  scan.request.source.timestamp_field = "ts";
  scan.request.source.created_timestamp_column = "made";
  scan.request.columns = {"driver", "x"};
  scan.request.window = {.start_us = 1, .end_us = 2};
  return scan;
}

SinkFrame Frame() {
  SinkFrame frame;
  frame.views.push_back({.project = "demo", .view = "stats", .join_keys = {}, .features = {}});
  return frame;
}

SparkTarget Executors() {
  return {.frame = Frame(),
          .runtime = {.program = "runtime/banquet", .library_path = "runtime"},
          .stage_uri = {}};
}

json PlanOf(std::vector<PlanNode> nodes, const SparkTarget& target = Executors()) {
  return json::parse(SparkPlanToJson(ExecutionPlan(std::move(nodes)), target,
                                     {.uri = "file:///data/x.parquet", .is_literal = true},
                                     "run 1"));
}

TEST(SparkPlanTest, TellsTheJobWhatThePlanSays) {
  FilterNode filter;
  filter.key_columns = {"driver_id"};
  LatestNode latest;
  latest.join_keys = {{.name = "driver_id", .type = ValueType::kInt64}};
  const json plan =
      PlanOf({Scan(), RenameNode{.input = 0, .columns = {{"driver", "driver_id"}, {"x", "x"}}},
              filter, latest});
  EXPECT_EQ(plan["source"], (json{{"table", ""},
                                  {"query", ""},
                                  {"path", "file:///data/x.parquet"},
                                  {"is_literal", true},
                                  {"format", "parquet"},
                                  {"options", json::object()},
                                  {"timestamp", "ts"},
                                  {"created", "made"},
                                  {"partition", ""},
                                  {"partition_format", "%Y-%m-%d"},
                                  {"mapping", json::object()}}));
  EXPECT_EQ(plan["columns"], (json{{{"source", "driver"}, {"name", "driver_id"}},
                                   {{"source", "x"}, {"name", "x"}}}));
  EXPECT_EQ(plan["window"], (json{{"start_us", 1}, {"end_us", 2}}));
  EXPECT_EQ(plan["join_keys"], (json::array({{{"name", "driver_id"}, {"type", "INT64"}}})));
  EXPECT_FALSE(plan["fail_on_null_key"]);
  EXPECT_TRUE(plan["transform"].is_null());
  EXPECT_EQ(plan["stage"], "");
  EXPECT_EQ(plan["sink"], "runtime/banquet");
  EXPECT_EQ(plan["run_id"], "run 1");
}

TEST(SparkPlanTest, WithoutARenameColumnsKeepTheirNames) {
  const json plan = PlanOf({Scan()});
  EXPECT_EQ(plan["columns"],
            (json{{{"source", "driver"}, {"name", "driver"}}, {{"source", "x"}, {"name", "x"}}}));
}

TEST(SparkPlanTest, TellsOfTablesSqlAndStaging) {
  ScanNode scan = Scan();
  DataSource& source = scan.request.source;
  source.table = "db.rides";
  source.query = "SELECT 1";
  source.table_format = "iceberg";
  source.file_format = "csv";
  source.table_format_options = {{"snapshot-id", "7"}};
  source.field_mapping = {{"c", "x"}};
  source.date_partition_column = "day";
  source.date_partition_column_format = "%Y%m%d";
  FilterNode filter;
  filter.fail_on_null_key = true;
  const json plan = PlanOf(
      {scan,
       TransformNode{
           .input = 0, .function = "f", .text = "def f(s): …", .columns = {"x"}, .window = {}},
       filter},
      {.frame = {}, .runtime = {}, .stage_uri = "s3a://lake/run"});
  EXPECT_EQ(plan["source"]["table"], "db.rides");
  EXPECT_EQ(plan["source"]["query"], "SELECT 1");
  EXPECT_EQ(plan["source"]["format"], "iceberg");
  EXPECT_EQ(plan["source"]["options"], (json{{"snapshot-id", "7"}}));
  EXPECT_EQ(plan["source"]["mapping"], (json{{"c", "x"}}));
  EXPECT_EQ(plan["source"]["partition"], "day");
  EXPECT_EQ(plan["source"]["partition_format"], "%Y%m%d");
  EXPECT_EQ(plan["transform"], (json{{"name", "f"}, {"text", "def f(s): …"}}));
  EXPECT_EQ(plan["columns"], (json::array({{{"source", "x"}, {"name", "x"}}})));
  EXPECT_TRUE(plan["fail_on_null_key"]);
  EXPECT_EQ(plan["stage"], "s3a://lake/run");
  EXPECT_EQ(plan["frame"], "");
}

// --- The result ---

json Task(int partition, int64_t rows, int64_t written) {
  const SinkReport report{.rows = rows,
                          .counts = {{.store = "redis",
                                      .view = "stats",
                                      .written = written,
                                      .stale = rows - written,
                                      .bytes = 10}}};
  return {{"partition", partition},
          {"attempt", 0},
          {"rows", rows},
          {"report", rows == 0 ? "" : SinkReportToJson(report)}};
}

json ResultOf(const json& tasks) {
  return {{"banquet_spark", 1},
          {"run_id", "run 1"},
          {"application", "app-7"},
          {"winners", 8},
          {"rows", {{"read", 20}, {"null_time", 1}, {"null_key", 2}, {"outside_window", 3}}},
          {"tasks", tasks}};
}

TEST(SparkResultTest, SumsTheTasks) {
  ASSERT_OK_AND_ASSIGN(
      const SparkResult result,
      SparkResultFromJson(ResultOf({Task(0, 5, 4), Task(1, 0, 0), Task(2, 3, 3)}).dump(), "run 1"));
  EXPECT_EQ(result.application, "app-7");
  EXPECT_EQ(result.read, 20);
  EXPECT_EQ(result.null_time, 1);
  EXPECT_EQ(result.null_key, 2);
  EXPECT_EQ(result.outside_window, 3);
  EXPECT_EQ(result.winners, 8);
  EXPECT_EQ(result.written.rows, 8);
  EXPECT_EQ(result.written.counts,
            (std::vector<SinkCounts>{
                {.store = "redis", .view = "stats", .written = 7, .stale = 1, .bytes = 20}}));
}

TEST(SparkResultTest, WhatDoesNotFitIsNotBelieved) {
  const auto refused = [](const json& result, const std::string& run = "run 1") {
    return SparkResultFromJson(result.dump(), run);
  };
  EXPECT_FAULT(Fault::kData, "another run", refused(ResultOf(json::array()), "run 2"));
  EXPECT_FAULT(Fault::kData, "one partition", refused(ResultOf({Task(0, 5, 4), Task(0, 5, 4)})));
  json less = Task(0, 5, 4);
  less["rows"] = 6;
  EXPECT_FAULT(Fault::kData, "sent 6 rows", refused(ResultOf(json::array({less}))));
  json none = Task(0, 5, 4);
  none["report"] = "";
  EXPECT_FAULT(Fault::kData, "no report", refused(ResultOf(json::array({none}))));
  json damaged = ResultOf(json::array());
  damaged["rows"].erase("read");
  EXPECT_FAULT(Fault::kData, "damaged", refused(damaged));
  EXPECT_FAULT(Fault::kData, "damaged", SparkResultFromJson("", "run 1"));
  for (const char* count : {"read", "null_time", "null_key", "outside_window"}) {
    json negative = ResultOf(json::array());
    negative["rows"][count] = -1;
    EXPECT_FAULT(Fault::kData, "tells of -1 rows", refused(negative));
  }
  json negative = ResultOf(json::array());
  negative["winners"] = -1;
  EXPECT_FAULT(Fault::kData, "tells of -1 rows", refused(negative));
}

TEST(SparkResultTest, APlanThatFailedSaysSo) {
  json result = ResultOf(json::array());
  result["error"] = {{"condition", "PATH_NOT_FOUND"}, {"message", "[PATH_NOT_FOUND] x"}};
  ASSERT_OK_AND_ASSIGN(SparkResult failed, SparkResultFromJson(result.dump(), "run 1"));
  EXPECT_EQ(failed.condition, "PATH_NOT_FOUND");
  EXPECT_EQ(failed.error, "[PATH_NOT_FOUND] x");
  result["error"] = {{"condition", ""}, {"message", ""}};
  ASSERT_OK_AND_ASSIGN(failed, SparkResultFromJson(result.dump(), "run 1"));
  EXPECT_EQ(failed.error, "it does not say why");
  result["error"] = "x";
  EXPECT_FAULT(Fault::kData, "damaged", SparkResultFromJson(result.dump(), "run 1"));
}

}  // namespace
}  // namespace banquet
