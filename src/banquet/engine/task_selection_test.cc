#include "banquet/engine/task_selection.h"

#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"

namespace banquet {
namespace {

constexpr int64_t kDay_us = int64_t{86'400} * 1'000'000;
constexpr int64_t kNow_us = 20'000 * kDay_us;

FeatureView MakeView(const std::string& name, ViewKind kind = ViewKind::kPlain) {
  FeatureView view;
  view.kind = kind;
  view.name = name;
  view.project = "p";
  view.online = true;
  view.batch_source = DataSource{};
  view.batch_source->type = SourceType::kFile;
  return view;
}

class TaskSelectionTest : public ::testing::Test {
 protected:
  TaskSelectionTest() { config_.project = "p"; }
  Result<std::vector<SelectedTask>> Select(const TaskQuery& query) {
    const EngineReach files{
        .reads = "files", .sources = {SourceType::kFile}, .transformations = {}};
    return SelectTasks(
        contents_, config_, query, [&](const std::string&) { return files; }, kNow_us);
  }
  static TaskQuery Window(std::vector<std::string> views = {}) {
    return {
        .views = std::move(views), .version = {}, .start_us = 1 * kDay_us, .end_us = 2 * kDay_us};
  }
  static TaskQuery Incremental(int64_t end_us) {
    return {.views = {}, .version = {}, .start_us = {}, .end_us = end_us};
  }
  RegistryContents contents_;
  RepoConfig config_;
};

TEST_F(TaskSelectionTest, AllViewsMeansOnlineEnabledOnesOfTheProjectPlainBeforeStream) {
  FeatureView stream = MakeView("stream", ViewKind::kStream);
  FeatureView offline_only = MakeView("offline_only");
  offline_only.online = false;
  FeatureView disabled = MakeView("disabled");
  disabled.disabled = true;
  FeatureView foreign = MakeView("foreign");
  foreign.project = "q";
  contents_.feature_views = {stream,  offline_only,      disabled,
                             foreign, MakeView("plain"), MakeView("label", ViewKind::kLabel)};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Window()));
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].task.view.name, "plain");
  EXPECT_EQ(tasks[1].task.view.name, "stream");
  EXPECT_EQ(tasks[0].task.window, (TimeWindow{1 * kDay_us, 2 * kDay_us}));
}

TEST_F(TaskSelectionTest, AnUnknownViewIsRefusedWithTheNearestName) {
  contents_.feature_views = {MakeView("driver_stats")};
  EXPECT_FAULT(Fault::kUser, "driver_stats", Select(Window({"driver_stat"})));
}

TEST_F(TaskSelectionTest, NamedViewsThatCannotBeMaterializedAreErrors) {
  FeatureView offline_only = MakeView("offline_only");
  offline_only.online = false;
  FeatureView disabled = MakeView("disabled");
  disabled.disabled = true;
  contents_.feature_views = {offline_only, disabled, MakeView("label", ViewKind::kLabel),
                             MakeView("odfv", ViewKind::kOnDemand)};
  EXPECT_FAULT(Fault::kUser, "online=False", Select(Window({"offline_only"})));
  EXPECT_FAULT(Fault::kUser, "disabled", Select(Window({"disabled"})));
  EXPECT_FAULT(Fault::kUser, "Label views", Select(Window({"label"})));
  EXPECT_FAULT(Fault::kUser, "write_to_online_store", Select(Window({"odfv"})));
}

TEST_F(TaskSelectionTest, AStartAfterTheEndIsRefusedBeforeAnyWork) {
  contents_.feature_views = {MakeView("a")};
  TaskQuery query = Window();
  query.start_us = 3 * kDay_us;
  EXPECT_FAULT(Fault::kUser, "is greater than the given end_date", Select(query));
  query.start_us = query.end_us;
  EXPECT_OK(Select(query));
}

TEST_F(TaskSelectionTest, IncrementalStartsWhereTheViewStoppedElseAtTtlElse52WeeksAgo) {
  FeatureView recorded = MakeView("recorded");
  recorded.materialization_intervals = {{0, 9 * kDay_us}, {0, 7 * kDay_us}};
  recorded.ttl_us = kDay_us;
  FeatureView with_ttl = MakeView("with_ttl");
  with_ttl.ttl_us = 3 * kDay_us;
  contents_.feature_views = {recorded, with_ttl, MakeView("fresh")};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Incremental(kNow_us)));
  EXPECT_EQ(tasks[0].task.window.start_us, 9 * kDay_us);
  EXPECT_EQ(tasks[1].task.window.start_us, kNow_us - 3 * kDay_us);
  EXPECT_EQ(tasks[2].task.window.start_us, kNow_us - 364 * kDay_us);
  EXPECT_THAT(tasks[2].notes, ::testing::ElementsAre(::testing::HasSubstr("52 weeks (Feast's")));
}

TEST_F(TaskSelectionTest, AReversedIncrementalWindowRefusesThatViewAlone) {
  FeatureView ahead = MakeView("ahead");
  ahead.materialization_intervals = {{0, kNow_us}};
  FeatureView behind = MakeView("behind");
  behind.materialization_intervals = {{0, kDay_us}};
  contents_.feature_views = {ahead, behind};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Incremental(2 * kDay_us)));
  EXPECT_FAULT(Fault::kUser, "reversed", tasks[0].refusal);
  EXPECT_THAT(MessageOf(tasks[0].refusal), ::testing::Not(::testing::HasSubstr("feast delete")));
  EXPECT_OK(tasks[1].refusal);
}

TEST_F(TaskSelectionTest, AViewWhoseIntervalsEndInTheFutureIsToldTheWayBack) {
  FeatureView ahead = MakeView("ahead");
  ahead.materialization_intervals = {{0, kNow_us + kDay_us}};
  contents_.feature_views = {ahead};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Incremental(kNow_us)));
  EXPECT_FAULT(Fault::kUser, "`feast delete ahead`, then `feast apply`", tasks[0].refusal);
}

TEST_F(TaskSelectionTest, AnIncrementalTaskFollowsTheIntervalsAndAViewThatVanishedIsAnError) {
  contents_.feature_views = {MakeView("a")};
  ASSERT_OK_AND_ASSIGN(auto tasks, Select(Incremental(kNow_us)));
  MaterializationTask& task = tasks[0].task;
  const TimeWindow first = task.window;
  ASSERT_OK_AND_ASSIGN(bool moved, FollowRecordedIntervals(contents_, kNow_us + kDay_us, &task));
  EXPECT_FALSE(moved);
  EXPECT_EQ(task.window, first) << "time alone does not move it";
  contents_.feature_views[0].materialization_intervals = {{0, kNow_us - kDay_us}};
  ASSERT_OK_AND_ASSIGN(moved, FollowRecordedIntervals(contents_, kNow_us, &task));
  EXPECT_TRUE(moved);
  EXPECT_EQ(task.window, (TimeWindow{kNow_us - kDay_us, kNow_us}));
  contents_.feature_views.clear();
  EXPECT_FAULT(Fault::kUser, "no longer in the registry",
               FollowRecordedIntervals(contents_, kNow_us, &task).status());
}

TEST_F(TaskSelectionTest, UnsupportedViewsAreRefusedAlone) {
  FeatureView batch = MakeView("batch", ViewKind::kBatch);
  batch.has_transformation = true;
  contents_.feature_views = {batch, MakeView("plain")};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Window()));
  EXPECT_TRUE(tasks[0].unsupported);
  EXPECT_FAULT(Fault::kUser, "transformation", tasks[0].refusal);
  EXPECT_OK(tasks[1].refusal);
}

TEST_F(TaskSelectionTest, VersionNeedsVersioningOneViewAndAKnownNumber) {
  contents_.feature_views = {MakeView("a"), MakeView("b")};
  contents_.feature_views[0].current_version_number = 2;
  TaskQuery query = Window({"a"});
  query.version = "v1";
  EXPECT_FAULT(Fault::kUser, "enable_online_feature_view_versioning", Select(query));
  config_.registry.online_feature_view_versioning = true;
  EXPECT_FAULT(Fault::kUser, "no version v1", Select(query));
  contents_.versions = {{.view = "a", .project = "p", .number = 1, .definition = MakeView("a")}};
  ASSERT_OK_AND_ASSIGN(auto tasks, Select(query));
  EXPECT_EQ(tasks[0].task.storage_name, "a_v1");
  query.version = "v2";  // The active one needs no snapshot.
  ASSERT_OK_AND_ASSIGN(tasks, Select(query));
  EXPECT_EQ(tasks[0].task.storage_name, "a_v2");
  EXPECT_TRUE(tasks[0].task.records_interval);
  query.version = "LATEST";
  ASSERT_OK_AND_ASSIGN(tasks, Select(query));
  EXPECT_EQ(tasks[0].task.storage_name, "a_v2");
  query.version = "banana";
  EXPECT_FAULT(Fault::kUser, "Not a version", Select(query));
  query.views = {"a", "b"};
  EXPECT_FAULT(Fault::kUser, "exactly one", Select(query));
}

TEST_F(TaskSelectionTest, AnotherVersionThanTheActiveOneNeitherUsesNorRecordsIntervals) {
  FeatureView active = MakeView("a");
  active.current_version_number = 1;
  active.materialization_intervals = {{0, 9 * kDay_us}};
  contents_.feature_views = {active};
  FeatureView snapshot = MakeView("a");
  snapshot.ttl_us = 3 * kDay_us;
  contents_.versions = {{.view = "a", .project = "p", .number = 0, .definition = snapshot}};
  config_.registry.online_feature_view_versioning = true;
  TaskQuery query = Incremental(kNow_us);
  query.views = {"a"};
  query.version = "v0";
  ASSERT_OK_AND_ASSIGN(auto tasks, Select(query));
  EXPECT_FALSE(tasks[0].task.records_interval);
  EXPECT_EQ(tasks[0].task.window.start_us, kNow_us - 3 * kDay_us);
  EXPECT_THAT(tasks[0].notes, ::testing::ElementsAre(::testing::HasSubstr("no interval")));
  query.version = {};
  ASSERT_OK_AND_ASSIGN(tasks, Select(query));
  EXPECT_TRUE(tasks[0].task.records_interval);
  EXPECT_EQ(tasks[0].task.window.start_us, 9 * kDay_us);
  EXPECT_THAT(tasks[0].notes, ::testing::IsEmpty());
}

TEST_F(TaskSelectionTest, OptionsOfAViewThatDoesNotExistAreRefusedWithTheNearestName) {
  contents_.feature_views = {MakeView("driver_stats")};
  config_.options.views["driver_stats"] = {};
  EXPECT_OK(Select(Window()));
  config_.options.views["driver_stat"] = {.place = "f.yaml:3: banquet.views.driver_stat"};
  EXPECT_FAULT(Fault::kUser, "f.yaml:3: banquet.views.driver_stat: the project has no such",
               Select(Window()));
  EXPECT_FAULT(Fault::kUser, "Did you mean 'driver_stats'?", Select(Window()));
}

TEST_F(TaskSelectionTest, NamesTheServicesWhoseVectorsStayOld) {
  contents_.feature_views = {MakeView("a")};
  contents_.feature_services = {
      {.name = "svc",
       .project = "p",
       .projections =
           {{.view = "a", .alias = {}, .features = {}, .join_key_map = {}, .version_tag = {}}},
       .precompute_online = true}};
  ASSERT_OK_AND_ASSIGN(const auto tasks, Select(Window()));
  EXPECT_THAT(PrecomputedServices(contents_, "p", tasks), ::testing::ElementsAre("svc"));
  EXPECT_TRUE(PrecomputedServices(contents_, "other", tasks).empty());
}

TEST(RecordedSpanTest, GoesFromTheEarliestStartToTheLatestEnd) {
  FeatureView view = MakeView("v");
  EXPECT_EQ(RecordedSpan(view), std::nullopt);
  view.materialization_intervals = {{5, 9}, {1, 3}, {2, 12}};
  EXPECT_EQ(RecordedSpan(view), (TimeWindow{1, 12}));
}

TEST(MaySkipTest, OnlyWhatIsUnsupportedAndNamedOrAll) {
  SelectedTask selected;
  selected.task.view.name = "v";
  EXPECT_FALSE(MaySkip({.skip_all = true, .skip_views = {}}, selected)) << "it can be done";
  selected.unsupported = true;
  EXPECT_TRUE(MaySkip({.skip_all = true, .skip_views = {}}, selected));
  EXPECT_TRUE(MaySkip({.skip_all = false, .skip_views = {"u", "v"}}, selected));
  EXPECT_FALSE(MaySkip({.skip_all = false, .skip_views = {"u"}}, selected));
}

}  // namespace
}  // namespace banquet
