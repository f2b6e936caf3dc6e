#include "banquet/plan/feature_builder.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

Field MakeField(const std::string& name, ValueType type) {
  return {.name = name, .type = type, .tags = {}, .description = {}};
}

TaskGroup DriverGroup() {
  MaterializationTask task;
  task.project = "p";
  task.view.name = task.storage_name = "driver_stats";
  task.view.online = true;
  task.view.batch_source = DataSource{};
  task.view.batch_source->type = SourceType::kFile;
  task.view.batch_source->name = "src";
  task.view.batch_source->uri = "data/x.parquet";
  task.view.batch_source->timestamp_field = "ts";
  task.window = {1, 2};
  ViewColumns columns{.project = "p", .view = "driver_stats"};
  columns.join_keys = {MakeField("driver_id", ValueType::kInt64)};
  columns.features = {MakeField("rate", ValueType::kDouble)};
  return {.tasks = {task}, .columns = {columns}};
}

TEST(FeatureBuilderTest, PlansScanFilterLatestWrite) {
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan,
                       FeatureBuilder({}, WriteOrder::kByKey).Build(DriverGroup()));
  ASSERT_EQ(plan.nodes().size(), 5u);
  EXPECT_THAT(plan.scan().request.columns, ::testing::ElementsAre("driver_id", "rate"));
  EXPECT_EQ(std::get<LatestNode>(plan.nodes()[2]).input, 1);
  EXPECT_EQ(std::get<OrderNode>(plan.nodes()[3]).join_keys[0].name, "driver_id");
  EXPECT_EQ(std::get<WriteNode>(plan.nodes()[4]).input, 3);
  EXPECT_THAT(plan.ToString(), ::testing::HasSubstr("newest row per (driver_id:INT64)"));
  EXPECT_THAT(plan.ToString(), ::testing::HasSubstr("order   by serialized key"));
}

TEST(FeatureBuilderTest, OrdersNothingForAStoreThatDoesNotAsk) {
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan,
                       FeatureBuilder({}, WriteOrder::kAny).Build(DriverGroup()));
  EXPECT_EQ(plan.nodes().size(), 4u);
}

TEST(FeatureBuilderTest, MapsSourceColumnsToFeatures) {
  TaskGroup group = DriverGroup();
  group.tasks[0].view.batch_source->field_mapping = {{"drv", "driver_id"}, {"r", "rate"}};
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_THAT(plan.scan().request.columns, ::testing::ElementsAre("drv", "r"));
  EXPECT_EQ(std::get<RenameNode>(plan.nodes()[1]).columns[0],
            (RenameNode::Column{"drv", "driver_id"}));
  ASSERT_TRUE(plan.scan().request.newest_of.has_value());
  EXPECT_THAT(*plan.scan().request.newest_of, ::testing::ElementsAre("drv"));
}

TEST(FeatureBuilderTest, AsksForNoNewestRowsWhereAllAreWritten) {
  TaskGroup group = DriverGroup();
  group.tasks[0].only_latest = false;
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_FALSE(plan.scan().request.newest_of.has_value());
}

TEST(FeatureBuilderTest, AFeatureThatIsAlsoAJoinKeyIsReadOnce) {
  TaskGroup group = DriverGroup();
  group.columns[0].features.push_back(MakeField("driver_id", ValueType::kInt64));
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_THAT(plan.scan().request.columns, ::testing::ElementsAre("driver_id", "rate"));
}

TEST(FeatureBuilderTest, AnEntitylessViewReadsNoKeyColumn) {
  TaskGroup group = DriverGroup();
  group.columns[0].join_keys = {MakeField("__dummy_id", ValueType::kString)};
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_THAT(plan.scan().request.columns, ::testing::ElementsAre("rate"));
  EXPECT_TRUE(std::get<FilterNode>(plan.nodes()[1]).key_columns.empty());
}

TEST(FeatureBuilderTest, WithoutOnlyLatestThereIsNoContest) {
  TaskGroup group = DriverGroup();
  group.tasks[0].only_latest = false;
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_EQ(plan.nodes().size(), 3u);
}

TEST(FeatureBuilderTest, RefusesWhatHasNoSourceTimeOrFeatures) {
  const FeatureBuilder builder({}, WriteOrder::kAny);
  TaskGroup group = DriverGroup();
  group.tasks[0].view.batch_source->timestamp_field = "";
  EXPECT_FAULT(Fault::kUser, "timestamp_field", builder.Build(group));
  group.tasks[0].view.batch_source.reset();
  EXPECT_FAULT(Fault::kUser, "no batch source", builder.Build(group));
  group = DriverGroup();
  group.columns[0].features.clear();
  EXPECT_FAULT(Fault::kUser, "no features", builder.Build(group));
  group.columns.clear();
  EXPECT_FAULT(Fault::kBug, "task group", builder.Build(group));
}

TEST(FeatureBuilderTest, NamesEveryReasonWhyAViewIsNotSupported) {
  const auto reason = [](auto&& change) {
    FeatureView view = DriverGroup().tasks[0].view;
    change(view);
    const EngineReach files{
        .reads = "files", .sources = {SourceType::kFile}, .transformations = {}};
    return FeatureBuilder::WhyUnsupported(view, files).value_or("");
  };
  EXPECT_EQ(reason([](FeatureView&) {}), "");
  EXPECT_THAT(reason([](FeatureView& v) { v.kind = ViewKind::kOnDemand; }),
              ::testing::HasSubstr("on-demand"));
  EXPECT_THAT(reason([](FeatureView& v) { v.kind = ViewKind::kLabel; }),
              ::testing::HasSubstr("label"));
  EXPECT_THAT(reason([](FeatureView& v) { v.source_view_count = 1; }),
              ::testing::HasSubstr("other views"));
  EXPECT_THAT(reason([](FeatureView& v) {
                v.has_transformation = true;
                v.mode = "pandas";
              }),
              ::testing::HasSubstr("pandas"));
  EXPECT_THAT(reason([](FeatureView& v) { v.aggregations.resize(1); }),
              ::testing::HasSubstr("aggregations"));
  EXPECT_THAT(reason([](FeatureView& v) { v.enable_tiling = true; }),
              ::testing::HasSubstr("tiled"));
  EXPECT_THAT(reason([](FeatureView& v) { v.offline = true; }),
              ::testing::HasSubstr("offline store"));
  EXPECT_THAT(reason([](FeatureView& v) {
                v.offline = true;
                v.online = false;
              }),
              ::testing::HasSubstr("offline store only"));
  EXPECT_THAT(reason([](FeatureView& v) { v.batch_source->type = SourceType::kSnowflake; }),
              ::testing::HasSubstr("SnowflakeSource"));
}

TEST(FeatureBuilderTest, WhatAnEngineReachesIsSupported) {
  const EngineReach reach{
      .reads = "tables", .sources = {SourceType::kSpark}, .transformations = {"spark_sql", "sql"}};
  FeatureView view = DriverGroup().tasks[0].view;
  EXPECT_THAT(FeatureBuilder::WhyUnsupported(view, reach).value_or(""),
              ::testing::HasSubstr("this version reads tables"));
  view.batch_source->type = SourceType::kSpark;
  EXPECT_EQ(FeatureBuilder::WhyUnsupported(view, reach), std::nullopt);
  view.has_transformation = true;
  view.mode = "spark_sql";
  EXPECT_THAT(FeatureBuilder::WhyUnsupported(view, reach).value_or(""),
              ::testing::HasSubstr("mode spark_sql"))
      << "without its text";
  view.transformation_text = "def f(source): …";
  EXPECT_EQ(FeatureBuilder::WhyUnsupported(view, reach), std::nullopt);
  view.mode = "pandas";
  EXPECT_NE(FeatureBuilder::WhyUnsupported(view, reach), std::nullopt);
}

TEST(FeatureBuilderTest, SqlOfAViewGivesItsColumns) {
  TaskGroup group = DriverGroup();
  group.tasks[0].view.has_transformation = true;
  group.tasks[0].view.transformation_name = "doubled";
  group.tasks[0].view.transformation_text = "def doubled(source): …";
  ASSERT_OK_AND_ASSIGN(const ExecutionPlan plan, FeatureBuilder({}, WriteOrder::kAny).Build(group));
  EXPECT_TRUE(plan.scan().request.columns.empty());
  ASSERT_TRUE(std::holds_alternative<TransformNode>(plan.nodes()[1]));
  const auto& transform = std::get<TransformNode>(plan.nodes()[1]);
  EXPECT_EQ(transform.window, group.tasks[0].window);
  EXPECT_THAT(transform.columns, ::testing::Contains(group.columns[0].features[0].name));
  EXPECT_THAT(plan.ToString(), ::testing::AllOf(::testing::HasSubstr("columns: all"),
                                                ::testing::HasSubstr("sql     doubled  gives: ")));
}

}  // namespace
}  // namespace banquet
