#include "banquet/engine/compute_engine.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "banquet/base/testing.h"
#include "banquet/engine/engine_set.h"

namespace banquet {
namespace {

class FakeLock final : public ViewLock {};

// Remembers what was recorded; refuses what it is told to.
class FakeRegistry final : public Registry {
 public:
  Result<std::shared_ptr<const RegistryContents>> Read() override {
    std::lock_guard lock(mutex);
    BANQUET_RETURN_NOT_OK(unreadable);
    return std::make_shared<const RegistryContents>(contents);
  }
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override {
    std::lock_guard lock(mutex);
    if (record.view == refuse_record) return UserError("read-only registry");
    recorded.push_back(record.view);
    windows[record.view] = record.window;
    return std::optional<std::string>(warning);
  }
  Status CheckWritable() override { return Status::OK(); }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string&, const std::string& view,
                                             std::chrono::milliseconds, std::stop_token) override {
    if (view == held) return HeldError("another run holds view {}", view);
    std::lock_guard lock(mutex);
    if (recorded_meanwhile.has_value()) {
      for (FeatureView& known : contents.feature_views) {
        if (known.name == view && (meanwhile_only.empty() || view == meanwhile_only))
          known.materialization_intervals.push_back(*recorded_meanwhile);
      }
    }
    return std::make_unique<FakeLock>();
  }
  std::mutex mutex;
  RegistryContents contents;
  std::optional<TimeWindow> recorded_meanwhile;  // By whoever held the lock before us.
  std::string meanwhile_only;                    // Of this view alone; empty: of every view.
  std::vector<std::string> recorded;
  std::map<std::string, TimeWindow> windows;
  std::string held;
  std::string refuse_record;
  Status unreadable;  // What Read says.
  std::optional<std::string> warning;
};

class FakeStore final : public OnlineStore {
 public:
  WriteNeeds needs() const override { return {}; }
  Status Check(std::span<const ViewColumns>) override { return Status::OK(); }
  Status Prepare(std::span<const ViewColumns>) override { return Status::OK(); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns>, int) override {
    return Bug("not written to in this test");
  }
  Status ConfirmWritten() override { return confirm; }
  Result<StoredRows> Read(const ViewColumns&, std::span<const std::string>) override {
    return StoredRows{};
  }
  Status Remove(const ViewColumns&) override { return Status::OK(); }
  std::string_view type() const override { return "fake"; }
  std::string Describe() const override { return "fake"; }
  Status confirm;
};

// Says per view what happens instead of materializing.
class FakeEngine final : public ComputeEngine {
 public:
  ~FakeEngine() override { JoinAll(); }
  EngineReach reach() const override { return {}; }
  Result<PlannedTask> Plan(const ExecutionContext&, const MaterializationTask&) override {
    return PlannedTask{};
  }
  std::map<std::string, Status> outcome;
  bool wrong_sums = false;
  std::mutex mutex;
  std::vector<std::vector<std::string>> groups;  // The views of each call, as they came.
  std::vector<bool> done;                        // Whether each group was recorded.
  std::vector<std::string> split;                // The first view of each group that was split.
  int engines = 0;                               // As the context says, and
  int at_once = 0;                               // groups_at_once.

 protected:
  void GroupDone(const ExecutionContext&, const Jobs&, bool is_recorded) override {
    std::lock_guard lock(mutex);
    done.push_back(is_recorded);
  }
  void GroupSplit(const Jobs& jobs) override {
    std::lock_guard lock(mutex);
    split.push_back(jobs.front()->task().view.name);
  }
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    jobs[0]->fates().read += 3;
    jobs[0]->fates().duplicates += 1;
    jobs[0]->fates().winners += 2;
    for (const auto& job : jobs) {
      job->AddStore("fake", "fake").written += wrong_sums ? 1 : 2;
    }
    std::vector<std::string> names;
    Status status;
    // Groups run in threads of their own: look, do not insert.
    for (const MaterializationTask& task : group.tasks) {
      names.push_back(task.view.name);
      const auto found = outcome.find(task.view.name);
      if (status.ok() && found != outcome.end()) status = found->second;
    }
    std::lock_guard lock(mutex);
    groups.push_back(std::move(names));
    engines = context.engines;
    at_once = groups_at_once();
    return status;
  }
};

class ComputeEngineTest : public ::testing::Test {
 protected:
  template <typename Engine>  // A ComputeEngine or an EngineSet.
  std::vector<std::shared_ptr<MaterializationJob>> Run(Engine& engine,
                                                       std::vector<std::string> names) {
    config.project = "p";
    context = {.config = &config,
               .registry = &registry,
               .contents = std::make_shared<const RegistryContents>(),
               .offline_store = nullptr,
               .online_stores = {&lanes},
               .clock = &SystemClock(),
               .stop = stop.get_token()};
    std::vector<SelectedTask> tasks;
    for (const std::string& name : names) {
      SelectedTask& selected = tasks.emplace_back();
      selected.task.project = "p";
      selected.task.view.name = selected.task.storage_name = name;
      if (shared_source.has_value()) selected.task.view.batch_source = shared_source;
      if (incremental_views.contains(name)) {
        selected.task.incremental = true;
        selected.task.window = {1'000'000, 9'000'000};
        selected.task.view.project = "p";
        selected.task.view.materialization_intervals = {{0, 1'000'000}};
        registry.contents.feature_views.push_back(selected.task.view);
      }
      if (name == "unsupported") {
        selected.refusal = UserError("Not supported: a reason");
        selected.unsupported = true;
      }
    }
    auto jobs = engine.Materialize(context, std::move(tasks));
    for (const auto& job : jobs) EXPECT_TRUE(job->Wait(std::chrono::seconds(10)));
    return jobs;
  }
  RepoConfig config;
  FakeRegistry registry;
  FakeStore store;
  StoreLanes lanes{"fake", &store};
  std::optional<DataSource> shared_source;  // Of all views, or none has a source.
  std::set<std::string> incremental_views;  // From second 1 to second 9.
  std::stop_source stop;
  ExecutionContext context;
};

TEST_F(ComputeEngineTest, RecordsEachViewAfterItSucceeded) {
  FakeEngine engine;
  const auto jobs = Run(engine, {"a", "b", "c"});
  EXPECT_THAT(registry.recorded, ::testing::UnorderedElementsAre("a", "b", "c"));
  for (const auto& job : jobs) EXPECT_EQ(job->status(), JobStatus::kSucceeded);
  EXPECT_EQ(jobs[0]->report().stores[0].written, 2);
}

TEST_F(ComputeEngineTest, EnginesThatWorkBesideEachOtherShareTheRun) {
  config.options.parallel_groups = 4;
  config.options.memory_limit = int64_t{4} << 30;
  auto of_all = std::make_unique<FakeEngine>();
  auto own = std::make_unique<FakeEngine>();
  const FakeEngine* first = of_all.get();
  const FakeEngine* second = own.get();
  EngineSet engines(std::move(of_all));
  engines.Add(std::move(own), {"d"});
  Run(engines, {"a", "b", "c", "d"});
  EXPECT_EQ(first->engines, 2);
  EXPECT_EQ(first->at_once, 2);
  EXPECT_EQ(second->engines, 2);
  EXPECT_EQ(second->at_once, 1);
  FakeEngine alone;
  Run(alone, {"a", "b", "c"});
  EXPECT_EQ(alone.engines, 1);
  EXPECT_EQ(alone.at_once, 3);
}

TEST_F(ComputeEngineTest, AFailedViewRecordsNothingAndDoesNotStopTheOthers) {
  FakeEngine engine;
  engine.outcome["a"] = DataError("bad file");
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_THAT(registry.recorded, ::testing::ElementsAre("b"));
  EXPECT_EQ(jobs[0]->status(), JobStatus::kError);
  EXPECT_FAULT(Fault::kData, "bad file", jobs[0]->error());
  EXPECT_EQ(jobs[0]->report().stores[0].error, "") << "the store is not to blame";
}

TEST_F(ComputeEngineTest, SumsThatDoNotAddUpAreABugAndNothingIsRecorded) {
  FakeEngine engine;
  engine.wrong_sums = true;
  const auto jobs = Run(engine, {"a"});
  EXPECT_EQ(ExitCodeOf(jobs[0]->error()), 70);
  EXPECT_TRUE(registry.recorded.empty());
}

TEST_F(ComputeEngineTest, AStoreThatCannotConfirmRecordsNothing) {
  FakeEngine engine;
  store.confirm = RemoteError({}, "another server answers");
  const auto jobs = Run(engine, {"a"});
  EXPECT_FAULT(Fault::kRemote, "another server", jobs[0]->error());
  EXPECT_EQ(jobs[0]->report().stores[0].error, "another server answers");
  EXPECT_TRUE(registry.recorded.empty());
}

TEST_F(ComputeEngineTest, AHeldViewEndsWith75AndARefusedRecordIsTold) {
  FakeEngine engine;
  registry.held = "a";
  registry.refuse_record = "b";
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_EQ(ExitCodeOf(jobs[0]->error()), 75);
  EXPECT_FAULT(Fault::kUser, "could not be recorded: read-only registry", jobs[1]->error());
}

// What staging keeps or removes hangs on it.
TEST_F(ComputeEngineTest, AGroupIsToldWhetherAllOfItIsRecorded) {
  FakeEngine engine;
  Run(engine, {"a"});
  EXPECT_THAT(engine.done, ::testing::ElementsAre(true));
  FakeEngine refused;
  registry.refuse_record = "b";
  shared_source = DataSource{};
  Run(refused, {"a", "b"});
  EXPECT_THAT(refused.done, ::testing::ElementsAre(false));
}

TEST_F(ComputeEngineTest, ARecordThatWarnsIsPassedOn) {
  FakeEngine engine;
  registry.warning = "written in place";
  EXPECT_THAT(Run(engine, {"a"})[0]->warnings(), ::testing::ElementsAre("written in place"));
}

TEST_F(ComputeEngineTest, UnsupportedViewsFailUnlessTheUserSkipsThem) {
  {
    FakeEngine engine;
    EXPECT_EQ(Run(engine, {"unsupported", "a"})[0]->status(), JobStatus::kError);
  }
  config.options.unsupported.skip_views = {"unsupported"};
  FakeEngine engine;
  const auto jobs = Run(engine, {"unsupported"});
  EXPECT_EQ(jobs[0]->status(), JobStatus::kSkipped);
  EXPECT_THAT(jobs[0]->warnings(), ::testing::SizeIs(1));
}

TEST_F(ComputeEngineTest, ViewsOfOneSourceAreMaterializedTogether) {
  shared_source = DataSource{.name = "trips"};
  FakeEngine engine;
  const auto jobs = Run(engine, {"b", "a", "c"});
  EXPECT_THAT(engine.groups, ::testing::ElementsAre(::testing::ElementsAre("b", "a", "c")));
  EXPECT_THAT(registry.recorded, ::testing::UnorderedElementsAre("a", "b", "c"));
  for (const auto& job : jobs) {
    EXPECT_EQ(job->status(), JobStatus::kSucceeded);
    EXPECT_EQ(job->report().rows.read, 3);
    EXPECT_EQ(job->report().stores.at(0).written, 2);
  }
}

TEST_F(ComputeEngineTest, ViewsAreMaterializedApartWhereTheUserAsks) {
  shared_source = DataSource{.name = "trips"};
  config.options.share_reads = false;
  FakeEngine engine;
  Run(engine, {"a", "b"});
  EXPECT_THAT(engine.groups, ::testing::SizeIs(2));
}

TEST_F(ComputeEngineTest, AViewThatFailsByItsOwnDataLeavesItsGroup) {
  shared_source = DataSource{.name = "trips"};
  FakeEngine engine;
  engine.outcome["b"] = DataError("a value cannot be encoded");
  const auto jobs = Run(engine, {"a", "b", "c"});
  EXPECT_EQ(jobs[0]->status(), JobStatus::kSucceeded);
  EXPECT_FAULT(Fault::kData, "cannot be encoded", jobs[1]->error());
  EXPECT_EQ(jobs[2]->status(), JobStatus::kSucceeded);
  EXPECT_THAT(registry.recorded, ::testing::ElementsAre("a", "c"));
  EXPECT_EQ(jobs[0]->report().rows.read, 3) << "the failed attempt is not counted";
  EXPECT_EQ(jobs[0]->report().stores.size(), 1u);
  EXPECT_THAT(engine.split, ::testing::ElementsAre("a"));
}

TEST_F(ComputeEngineTest, AFailingStoreFailsTheWholeGroupAtOnce) {
  shared_source = DataSource{.name = "trips"};
  FakeEngine engine;
  engine.outcome["b"] = RemoteError({}, "the store is down");
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_THAT(engine.groups, ::testing::SizeIs(1));
  for (const auto& job : jobs) EXPECT_FAULT(Fault::kRemote, "store is down", job->error());
  EXPECT_TRUE(registry.recorded.empty());
}

TEST_F(ComputeEngineTest, AHeldViewLeavesItsGroup) {
  shared_source = DataSource{.name = "trips"};
  registry.held = "a";
  FakeEngine engine;
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_EQ(ExitCodeOf(jobs[0]->error()), 75);
  EXPECT_EQ(jobs[1]->status(), JobStatus::kSucceeded);
  EXPECT_THAT(engine.groups, ::testing::ElementsAre(::testing::ElementsAre("b")));
}

TEST_F(ComputeEngineTest, AnIncrementalWindowBeginsWhereTheIntervalsEndOnceTheViewIsOurs) {
  incremental_views = {"a"};
  registry.recorded_meanwhile = TimeWindow{1'000'000, 5'000'000};
  FakeEngine engine;
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_EQ(jobs[0]->status(), JobStatus::kSucceeded);
  EXPECT_EQ(registry.windows["a"], (TimeWindow{5'000'000, 9'000'000}));
  EXPECT_EQ(jobs[0]->task().window, registry.windows["a"]);
  EXPECT_THAT(jobs[0]->warnings(),
              ::testing::ElementsAre(::testing::HasSubstr("the window begins at 1970-01-01")));
}

TEST_F(ComputeEngineTest, ARegistryThatCannotBeReadUnderTheLockFailsWhatNeedsIt) {
  incremental_views = {"a"};
  registry.unreadable = RemoteError({}, "the registry is gone");
  FakeEngine engine;
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_FAULT(Fault::kRemote, "the registry is gone", jobs[0]->error());
  EXPECT_EQ(jobs[1]->status(), JobStatus::kSucceeded);
  EXPECT_THAT(registry.recorded, ::testing::ElementsAre("b"));
}

TEST_F(ComputeEngineTest, AViewWhoseWindowMovedLeavesItsGroup) {
  shared_source = DataSource{.name = "trips"};
  incremental_views = {"a", "b", "c"};
  FakeEngine together;
  Run(together, {"a", "b", "c"});
  EXPECT_THAT(together.groups, ::testing::SizeIs(1)) << "nothing was recorded meanwhile";
  registry.contents.feature_views.clear();
  registry.recorded_meanwhile = TimeWindow{1'000'000, 5'000'000};
  registry.meanwhile_only = "b";
  FakeEngine engine;
  Run(engine, {"a", "b", "c"});
  EXPECT_THAT(engine.groups, ::testing::ElementsAre(::testing::ElementsAre("a", "c"),
                                                    ::testing::ElementsAre("b")));
  EXPECT_EQ(registry.windows["a"], (TimeWindow{1'000'000, 9'000'000}));
  EXPECT_EQ(registry.windows["b"], (TimeWindow{5'000'000, 9'000'000}));
}

TEST_F(ComputeEngineTest, AnIncrementalWindowThatAnotherRunOvertookIsRefusedAndNotRecorded) {
  incremental_views = {"a"};
  registry.recorded_meanwhile = TimeWindow{1'000'000, 10'000'000};
  FakeEngine engine;
  const auto jobs = Run(engine, {"a"});
  EXPECT_FAULT(Fault::kUser, "The window is reversed", jobs[0]->error());
  EXPECT_TRUE(registry.recorded.empty());
  EXPECT_TRUE(engine.groups.empty());
}

TEST(TaskGroupTest, ShareOnlyWhatIsReadDecidedAndGuardedAlike) {
  TaskGroup group;
  MaterializationTask& task = group.tasks.emplace_back();
  task.project = "p";
  task.view.batch_source = DataSource{.name = "trips", .timestamp_field = "ts"};
  task.window = {1, 2};
  group.columns.push_back({.project = "p", .view = "v"});
  TaskGroup other = group;
  EXPECT_TRUE(MayShare(group, other));
  other.columns[0].features.push_back({.name = "f"});
  other.columns[0].overwrite = Overwrite::kAlways;
  EXPECT_TRUE(MayShare(group, other)) << "features and overwrite are each view's own";
  other.tasks[0].view.batch_source->name = "the same trips";
  other.tasks[0].view.batch_source->owner = "somebody";
  EXPECT_TRUE(MayShare(group, other)) << "names do not change what is read";

  const auto refuses = [&](auto change) {
    TaskGroup changed = group;
    change(&changed);
    return !MayShare(group, changed) && !MayShare(changed, group);
  };
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->tasks[0].window = {1, 3}; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->tasks[0].view.batch_source->timestamp_field = "t"; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->tasks[0].view.batch_source = std::nullopt; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->tasks[0].only_latest = false; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->tasks[0].project = "q"; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->columns[0].join_keys = {{.name = "k"}}; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->columns[0].guard = Guard::kStrict; }));
  EXPECT_TRUE(refuses([](TaskGroup* g) { g->fail_on_null_key = true; }));
}

TEST_F(ComputeEngineTest, AStopRequestCancelsWhatHasNotBegun) {
  FakeEngine engine;
  stop.request_stop();
  EXPECT_EQ(Run(engine, {"a"})[0]->status(), JobStatus::kCancelled);
  EXPECT_TRUE(registry.recorded.empty());
}

}  // namespace
}  // namespace banquet
