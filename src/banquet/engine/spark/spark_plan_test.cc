#include "banquet/engine/spark/spark_plan.h"

#include <nlohmann/json.hpp>

#include "banquet/base/testing.h"
#include "banquet/engine/spark/spark_application.h"
#include "banquet/engine/spark/spark_settings.h"

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
  return json::parse(
      SparkPlanToJson(ExecutionPlan(std::move(nodes)), target, "file:///data/x.parquet", "run 1"));
}

TEST(SparkPlanTest, TellsTheJobWhatThePlanSays) {
  FilterNode filter;
  filter.key_columns = {"driver_id"};
  const json plan =
      PlanOf({Scan(), RenameNode{.input = 0, .columns = {{"driver", "driver_id"}, {"x", "x"}}},
              filter, LatestNode{}});
  EXPECT_EQ(plan["source"], (json{{"table", ""},
                                  {"query", ""},
                                  {"path", "file:///data/x.parquet"},
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
  EXPECT_EQ(plan["join_keys"], json{"driver_id"});
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

TEST(SparkSettingsTest, PathsAreNamedAsSparkNamesThem) {
  SparkSettings settings;
  EXPECT_EQ(settings.UriFor("/data/a b"), "file:///data/a b");
  EXPECT_EQ(settings.UriFor("s3://lake/x"), "s3a://lake/x");
  EXPECT_EQ(settings.UriFor("gcs://lake/x"), "gs://lake/x");
  EXPECT_EQ(settings.UriFor("hdfs://n/x"), "hdfs://n/x");
  settings.conf["spark.hadoop.fs.s3.impl"] = "com.amazon.ws.emr.hadoop.fs.EmrFileSystem";
  EXPECT_EQ(settings.UriFor("s3://lake/x"), "s3://lake/x");
}

TEST(SparkSettingsTest, SecretsGoNotToTheCommandLine) {
  SparkSettings settings;
  settings.conf = {{"spark.master", "local[2]"},
                   {"spark.hadoop.fs.s3a.secret.key", "s3cret"},
                   {"spark.hadoop.fs.s3a.access.key", "AKIA"},
                   {"spark.ssl.keyPassword", "s3cret"}};
  EXPECT_EQ(settings.Arguments(), (std::vector<std::string>{"--conf", "spark.master=local[2]"}));
  EXPECT_EQ(settings.Secrets().size(), 3U);
  EXPECT_EQ(settings.Secrets().at("spark.ssl.keyPassword"), "s3cret");
  EXPECT_TRUE(settings.is_local());
  settings.conf["spark.master"] = "yarn";
  EXPECT_FALSE(settings.is_local());
  EXPECT_TRUE(SparkSettings().is_local());
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
          {"staged", 0},
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

TEST(SparkFailureTest, EachIsWhoseItIs) {
  EXPECT_FAULT(
      Fault::kUser, "redis refused; its log: x",
      SparkFailure("", {"E: BANQUET-SINK exit 2: banquet: redis refused"}, "; its log: x"));
  EXPECT_FAULT(Fault::kData, "bad row",
               SparkFailure("", {"BANQUET-SINK exit 3: banquet: bad row"}, ""));
  EXPECT_FAULT(Fault::kRemote, "gone", SparkFailure("", {"BANQUET-SINK exit 4: gone"}, ""));
  EXPECT_FAULT(Fault::kUser, "no column x", SparkFailure("REFUSED", {"no column x"}, ""));
  EXPECT_FAULT(Fault::kUser, "Path does not exist",
               SparkFailure("PATH_NOT_FOUND", {"[…] Path does not exist", "more"}, ""));
  EXPECT_FAULT(Fault::kData, "banquet.on_null_key",
               SparkFailure("USER_RAISED_EXCEPTION", {"[…] BANQUET-NULL-KEY"}, ""));
  EXPECT_FAULT(Fault::kRemote, "ModuleNotFoundError: pyarrow",
               SparkFailure("", {"Job aborted", "ModuleNotFoundError: pyarrow", "at x.y"}, ""));
  EXPECT_FAULT(Fault::kRemote, "it printed nothing", SparkFailure("", {}, ""));
}

TEST(SparkResultTest, TheSinksWordsAreFound) {
  EXPECT_EQ(FindSinkFailure({"INFO x", "BANQUET-SINK exit", ""}), std::nullopt);
  const auto failure = FindSinkFailure(
      {"Caused by: x", "RuntimeError: BANQUET-SINK exit 2: banquet: redis refused: NOPERM",
       "more"});
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, 2);
  EXPECT_EQ(failure->message, "redis refused: NOPERM");
}

// --- Settings ---

ConfigNode Scalar(const std::string& text) {
  return {.kind = ConfigNode::Kind::kScalar, .scalar = text};
}
ConfigNode Map(std::vector<ConfigEntry> entries) {
  ConfigNode node{.kind = ConfigNode::Kind::kMap};
  node.entries = std::move(entries);
  return node;
}

TEST(SparkSettingsTest, AreReadAndRefused) {
  ASSERT_OK_AND_ASSIGN(
      const SparkSettings settings,
      ParseSparkSettings(Map({{"type", Scalar("spark.engine")},
                              {"partitions", Scalar("20")},
                              {"spark_conf", Map({{"spark.executor.cores", Scalar("2")}})}})));
  EXPECT_EQ(settings.partitions, 20);
  EXPECT_EQ(settings.conf.at("spark.executor.cores"), "2");
  EXPECT_EQ(settings.write, std::nullopt);
  EXPECT_FALSE(settings.shares_application);
  ASSERT_OK_AND_ASSIGN(const SparkSettings staging,
                       ParseSparkSettings(Map({{"write", Scalar("staging")},
                                               {"staging_location", Scalar("s3://lake/x")},
                                               {"applications", Scalar("shared")}})));
  EXPECT_EQ(staging.write, SparkWrite::kStaging);
  EXPECT_EQ(staging.staging_location, "s3://lake/x");
  EXPECT_TRUE(staging.shares_application);
  const auto refused = [](const std::string& key, ConfigNode value) {
    return ParseSparkSettings(Map({{key, std::move(value)}}));
  };
  EXPECT_FAULT(Fault::kUser, "partitions", refused("partitions", Scalar("-1")));
  EXPECT_FAULT(Fault::kUser, "partitions", refused("partition", Scalar("2")));
  EXPECT_FAULT(Fault::kUser, "spark_conf", refused("spark_conf", Map({{"a", Map({})}})));
  EXPECT_FAULT(Fault::kUser, "write", refused("write", Scalar("driver")));
  EXPECT_FAULT(Fault::kUser, "applications", refused("applications", Scalar("one")));
  EXPECT_FAULT(Fault::kUser, "client mode",
               refused("spark_conf", Map({{"spark.submit.deployMode", Scalar("cluster")}})));
}

}  // namespace
}  // namespace banquet
