#include "banquet/exec/write_sink.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "arrow/record_batch.h"
#include "banquet/base/testing.h"
#include "banquet/exec/batch_for_test.h"
#include "banquet/exec/pipeline.h"

namespace banquet {
namespace {

// What the next attempt on the scripted store meets.
enum class Step { kTake, kRefuseHalf, kRefuseAll, kDie, kFatal };

// A store that follows a script and remembers how often each key was written.
class ScriptedStore final : public OnlineStore {
 public:
  std::deque<Step> script;
  std::map<std::string, int> writes;
  int opened = 0;
  std::mutex mutex;

  WriteNeeds needs() const override {
    return {.lanes = 1, .order = WriteOrder::kAny, .encode = {}};
  }
  Status Check(std::span<const ViewColumns>) override { return Status::OK(); }
  Status Prepare(std::span<const ViewColumns>) override { return Status::OK(); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns>, int) override;
  Result<StoredRows> Read(const ViewColumns&, std::span<const std::string>) override {
    return StoredRows{};
  }
  Status Remove(const ViewColumns&) override { return Status::OK(); }
  std::string_view type() const override { return "scripted"; }
  std::string Describe() const override { return "scripted"; }
};

class ScriptedWriter final : public OnlineWriter {
 public:
  explicit ScriptedWriter(ScriptedStore* store) : store_(store) {}
  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    batch_ = std::move(batch);
    rows_.clear();
    for (size_t i = 0; i < rows.Count(batch_->rows); ++i) rows_.push_back(rows.At(i));
    return Status::OK();
  }
  Result<RowOutcomes> Flush() override {
    std::lock_guard lock(store_->mutex);
    Step step = Step::kTake;
    if (!store_->script.empty()) {
      step = store_->script.front();
      store_->script.pop_front();
    }
    if (step == Step::kDie) return RemoteError({.retryable = true}, "connection reset");
    if (step == Step::kFatal) return RemoteError({}, "no rights");
    RowOutcomes outcomes;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (step == Step::kRefuseAll || (step == Step::kRefuseHalf && i % 2 == 1)) {
        outcomes.undecided.push_back(rows_[i]);
      } else {
        ++outcomes.written;
        ++store_->writes[std::string(batch_->keys[rows_[i]])];
      }
    }
    outcomes.views = {{.written = outcomes.written}};
    return outcomes;
  }

 private:
  ScriptedStore* store_;
  std::shared_ptr<const EncodedBatch> batch_;
  std::vector<uint32_t> rows_;
};

Result<std::unique_ptr<OnlineWriter>> ScriptedStore::OpenWriter(std::span<const ViewColumns>, int) {
  ++opened;
  return std::make_unique<ScriptedWriter>(this);
}

const WriteNode kNode = {
    .input = 0,
    .views = {
        {.project = "p",
         .view = "view",
         .join_keys = {{.name = "k", .type = ValueType::kInt64, .tags = {}, .description = {}}},
         .features = {{.name = "v", .type = ValueType::kInt64, .tags = {}, .description = {}}},
         .has_created_time = true}}};

struct Outcome {
  Status status;
  int64_t written = 0;
};

Outcome WriteRows(ScriptedStore* store, int64_t row_count, std::stop_token stop = {}) {
  StoreLanes lanes("scripted", store);
  StoreTally tally;
  ManualClock clock(0);
  auto sink =
      MakeWriteSink(kNode, *TestSchema(), {{&lanes, {&tally}}},
                    {.retry = {.timeout = std::chrono::seconds(20)}, .clock = &clock, .stop = stop})
          .ValueOrDie();
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < row_count; ++i)
    rows.push_back({.key = i, .value = i, .event_us = 1, .created_us = 1});
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(rows, 10)), {}, sink.get()};
  const Status status = RunPipeline(pipeline, 2, stop);
  return {status, tally.written};
}

TEST(WriteSinkTest, WritesEveryRowOnce) {
  ScriptedStore store;
  const Outcome outcome = WriteRows(&store, 95);
  EXPECT_OK(outcome.status);
  EXPECT_EQ(outcome.written, 95);
  EXPECT_EQ(store.writes.size(), 95u);
  EXPECT_EQ(store.opened, 1);
}

TEST(WriteSinkTest, RowsRefusedForNowAreWrittenAgainAndOnlyThose) {
  ScriptedStore store;
  store.script = {Step::kRefuseHalf, Step::kRefuseHalf};
  const Outcome outcome = WriteRows(&store, 10);
  EXPECT_OK(outcome.status);
  EXPECT_EQ(outcome.written, 10);
  for (const auto& [key, writes] : store.writes) EXPECT_EQ(writes, 1);
}

TEST(WriteSinkTest, RowsGoAtTheRateThatTheStoreIsGivenAlsoThoseWrittenAgain) {
  ScriptedStore store;
  store.script = {Step::kRefuseHalf};
  StoreLanes lanes("scripted", &store, /*write_rate_max=*/20);
  StoreTally tally;
  ManualClock clock(0);
  // No back-off, so that all the time that passes is the rate's.
  const WriteSettings settings{.retry = {.first_wait_max = std::chrono::milliseconds(0),
                                         .wait_max = std::chrono::milliseconds(0)},
                               .clock = &clock,
                               .stop = {}};
  auto sink = MakeWriteSink(kNode, *TestSchema(), {{&lanes, {&tally}}}, settings).ValueOrDie();
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 9; ++i)
    rows.push_back({.key = i, .value = i, .event_us = 1, .created_us = 1});
  VectorSource source(CutIntoBatches(rows, 10));
  auto local = sink->NewLocal().ValueOrDie();
  ASSERT_OK(sink->Consume(*local, source.Next().ValueOrDie()));
  EXPECT_EQ(tally.written, 9);
  // Ten rows were sent two by two, the one that was refused by itself, the ninth alone: what was
  // sent last waited for nine others.
  EXPECT_EQ(clock.NowUs(), 9 * 50'000);
}

TEST(WriteSinkTest, AStopRequestEndsTheWaitForATurn) {
  ScriptedStore store;
  std::stop_source stop;
  StoreLanes lanes("scripted", &store, /*write_rate_max=*/1);
  StoreTally tally;
  ManualClock clock(0);
  auto sink = MakeWriteSink(kNode, *TestSchema(), {{&lanes, {&tally}}},
                            {.retry = {}, .clock = &clock, .stop = stop.get_token()})
                  .ValueOrDie();
  VectorSource source(CutIntoBatches({{.key = 1, .value = 1, .event_us = 1, .created_us = 1},
                                      {.key = 2, .value = 1, .event_us = 1, .created_us = 1}},
                                     10));
  auto local = sink->NewLocal().ValueOrDie();
  const Batch batch = source.Next().ValueOrDie();
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "", sink->Consume(*local, batch));
  EXPECT_OK(tally.failure());
}

TEST(WriteSinkTest, ADeadWriterIsReplacedAndItsBatchWrittenAgain) {
  ScriptedStore store;
  store.script = {Step::kTake, Step::kDie, Step::kDie};
  const Outcome outcome = WriteRows(&store, 30);
  EXPECT_OK(outcome.status);
  EXPECT_EQ(outcome.written, 30);
  EXPECT_EQ(store.opened, 3);
}

TEST(WriteSinkTest, TheBeginningOfTroubleIsToldOnceWithItsReason) {
  ScriptedStore store;
  store.script = {Step::kTake, Step::kDie, Step::kDie};
  ::testing::internal::CaptureStderr();
  EXPECT_OK(WriteRows(&store, 30).status);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, ::testing::HasSubstr("connection reset; trying again, for "));
  EXPECT_THAT(log, ::testing::HasSubstr("banquet.retry_timeout"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
}

TEST(WriteSinkTest, AFatalErrorEndsTheRunAtOnce) {
  ScriptedStore store;
  store.script = {Step::kTake, Step::kFatal};
  const Outcome outcome = WriteRows(&store, 30);
  EXPECT_FAULT(Fault::kRemote, "no rights", outcome.status);
  EXPECT_LT(outcome.written, 30);
}

// Two stores, of which `first` follows its script; what became of each.
struct FanOut {
  Status status;
  int64_t written[2] = {};
  Status failures[2];
};

FanOut WriteToBoth(ScriptedStore* first, ScriptedStore* second, int64_t row_count) {
  StoreLanes lanes[2] = {{"first", first}, {"second", second}};
  StoreTally tallies[2];
  ManualClock clock(0);
  auto sink =
      MakeWriteSink(kNode, *TestSchema(), {{&lanes[0], {&tallies[0]}}, {&lanes[1], {&tallies[1]}}},
                    {.retry = {.timeout = std::chrono::seconds(20)}, .clock = &clock})
          .ValueOrDie();
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < row_count; ++i)
    rows.push_back({.key = i, .value = i, .event_us = 1, .created_us = 1});
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(rows, 10)), {}, sink.get()};
  FanOut result;
  result.status = RunPipeline(pipeline, 2, {});
  for (int i = 0; i < 2; ++i) {
    result.written[i] = tallies[i].written;
    result.failures[i] = tallies[i].failure();
  }
  return result;
}

TEST(WriteSinkTest, EveryStoreGetsEveryRow) {
  ScriptedStore first;
  ScriptedStore second;
  second.script = {Step::kRefuseHalf, Step::kDie};
  const FanOut result = WriteToBoth(&first, &second, 55);
  EXPECT_OK(result.status);
  EXPECT_EQ(result.written[0], 55);
  EXPECT_EQ(result.written[1], 55);
}

TEST(WriteSinkTest, AStoreThatFailsDoesNotStopTheOther) {
  ScriptedStore first;
  ScriptedStore second;
  first.script = {Step::kTake, Step::kFatal};
  const FanOut result = WriteToBoth(&first, &second, 55);
  EXPECT_FAULT(Fault::kRemote, "no rights", result.status);
  EXPECT_FAULT(Fault::kRemote, "no rights", result.failures[0]);
  EXPECT_OK(result.failures[1]);
  EXPECT_LT(result.written[0], 55);
  EXPECT_EQ(result.written[1], 55);
}

TEST(WriteSinkTest, WhereEveryStoreFailsTheRunEndsAtOnce) {
  ScriptedStore first;
  ScriptedStore second;
  first.script = {Step::kFatal};
  second.script = {Step::kTake, Step::kFatal};
  const FanOut result = WriteToBoth(&first, &second, 5000);
  EXPECT_FAULT(Fault::kRemote, "no rights", result.status);
  EXPECT_EQ(result.written[0], 0);
  EXPECT_LT(result.written[1], 5000);
}

TEST(WriteSinkTest, GivesUpWhenTheTimeForRetriesIsOver) {
  ScriptedStore store;
  store.script.assign(1000, Step::kDie);
  const Outcome outcome = WriteRows(&store, 10);
  EXPECT_FAULT(Fault::kRemote, "gave up after", outcome.status);
  EXPECT_FALSE(store.script.empty());
}

// The first to give up has waited for all.
TEST(WriteSinkTest, AStoreThatIsGoneCostsAllBatchesTogetherOneTimeout) {
  ScriptedStore store;
  store.script.assign(1000, Step::kDie);
  StoreLanes lanes("scripted", &store);
  StoreTally tally;
  ManualClock clock(0);
  const WriteSettings settings{
      .retry = {.timeout = std::chrono::seconds(20)}, .clock = &clock, .stop = {}};
  for (int group = 0; group < 3; ++group) {
    auto sink = MakeWriteSink(kNode, *TestSchema(), {{&lanes, {&tally}}}, settings).ValueOrDie();
    VectorSource source(
        CutIntoBatches({{.key = 1, .value = 1, .event_us = 1, .created_us = 1}}, 10));
    auto local = sink->NewLocal().ValueOrDie();
    EXPECT_FAULT(Fault::kRemote, "gave up after",
                 sink->Consume(*local, source.Next().ValueOrDie()));
  }
  EXPECT_EQ(clock.NowUs(), 20'000'000);
  EXPECT_FAULT(Fault::kRemote, "gave up after", tally.failure());
  EXPECT_EQ(tally.with_store, 0);
}

TEST(WriteSinkTest, RefusingEveryRowIsNoProgress) {
  ScriptedStore store;
  for (int i = 0; i < 1000; ++i) {
    store.script.push_back(Step::kRefuseAll);
    store.script.push_back(Step::kDie);
  }
  EXPECT_FAULT(Fault::kRemote, "gave up after", WriteRows(&store, 10).status);
}

TEST(WriteSinkTest, AStopRequestEndsTheRetries) {
  ScriptedStore store;
  store.script.assign(1000, Step::kDie);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "Stopped", WriteRows(&store, 10, stop.get_token()).status);
}

}  // namespace
}  // namespace banquet
