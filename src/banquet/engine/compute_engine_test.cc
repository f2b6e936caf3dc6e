#include "banquet/engine/compute_engine.h"

#include <atomic>
#include <map>
#include <mutex>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

class FakeLock final : public ViewLock {};

// Remembers what was recorded; refuses what it is told to.
class FakeRegistry final : public Registry {
 public:
  Result<std::shared_ptr<const RegistryContents>> Read() override {
    return std::make_shared<const RegistryContents>();
  }
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override {
    std::lock_guard lock(mutex);
    if (record.view == refuse_record) return UserError("read-only registry");
    recorded.push_back(record.view);
    return std::optional<std::string>(warning);
  }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string&, const std::string& view,
                                             std::chrono::milliseconds, std::stop_token) override {
    if (view == held) return HeldError("another run holds view {}", view);
    return std::make_unique<FakeLock>();
  }
  std::mutex mutex;
  std::vector<std::string> recorded;
  std::string held;
  std::string refuse_record;
  std::optional<std::string> warning;
};

class FakeStore final : public OnlineStore {
 public:
  WriteNeeds needs() const override { return {}; }
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
  std::map<std::string, Status> outcome;
  bool wrong_sums = false;

 protected:
  Status MaterializeGroup(const ExecutionContext&, const TaskGroup& group,
                          const Jobs& jobs) override {
    jobs[0]->fates().read += 3;
    jobs[0]->fates().duplicates += 1;
    jobs[0]->fates().winners += 2;
    StoreTally& tally = jobs[0]->AddStore("fake", "fake");
    tally.written += wrong_sums ? 1 : 2;
    // Groups run in threads of their own: look, do not insert.
    const auto found = outcome.find(group.tasks[0].view.name);
    return found == outcome.end() ? Status::OK() : found->second;
  }
};

class ComputeEngineTest : public ::testing::Test {
 protected:
  std::vector<std::shared_ptr<MaterializationJob>> Run(FakeEngine& engine,
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

TEST_F(ComputeEngineTest, AFailedViewRecordsNothingAndDoesNotStopTheOthers) {
  FakeEngine engine;
  engine.outcome["a"] = DataError("bad file");
  const auto jobs = Run(engine, {"a", "b"});
  EXPECT_THAT(registry.recorded, ::testing::ElementsAre("b"));
  EXPECT_EQ(jobs[0]->status(), JobStatus::kError);
  EXPECT_FAULT(Fault::kData, "bad file", jobs[0]->error());
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

TEST_F(ComputeEngineTest, AStopRequestCancelsWhatHasNotBegun) {
  FakeEngine engine;
  stop.request_stop();
  EXPECT_EQ(Run(engine, {"a"})[0]->status(), JobStatus::kCancelled);
  EXPECT_TRUE(registry.recorded.empty());
}

}  // namespace
}  // namespace banquet
