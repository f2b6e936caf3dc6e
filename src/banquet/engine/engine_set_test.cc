#include "banquet/engine/engine_set.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

// Finishes every task with its own name as the error.
class NamedEngine final : public ComputeEngine {
 public:
  explicit NamedEngine(std::string name) : name_(std::move(name)) {}
  ~NamedEngine() override { JoinAll(); }
  EngineReach reach() const override {
    return {.reads = name_, .sources = {}, .transformations = {}};
  }
  Result<PlannedTask> Plan(const ExecutionContext&, const MaterializationTask&) override {
    return PlannedTask{.plan = name_, .scan = {}};
  }

 protected:
  Status MaterializeGroup(const ExecutionContext&, const TaskGroup&, const Jobs&) override {
    return Bug("not reached by this test");
  }

 private:
  const std::string name_;
};

TEST(EngineSetTest, EachViewHasItsEngineAndJobsKeepTheirOrder) {
  EngineSet engines(std::make_unique<NamedEngine>("all"));
  engines.Add(std::make_unique<NamedEngine>("own"), {"b", "d"});
  EXPECT_EQ(engines.Of("a").reach().reads, "all");
  EXPECT_EQ(engines.reach()("b").reads, "own");
  const RepoConfig config;
  const ExecutionContext context{.config = &config, .clock = &SystemClock()};
  std::vector<SelectedTask> tasks;
  for (const char* name : {"a", "b", "c", "d"}) {
    SelectedTask& task = tasks.emplace_back();
    task.task.view.name = name;
    task.refusal = UserError("refused");
  }
  const Jobs jobs = engines.Materialize(context, std::move(tasks));
  ASSERT_EQ(jobs.size(), 4U);
  for (size_t i = 0; i < jobs.size(); ++i)
    EXPECT_EQ(jobs[i]->task().view.name, std::string(1, static_cast<char>('a' + i)));
}

}  // namespace
}  // namespace banquet
