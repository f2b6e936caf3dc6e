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
  EXPECT_THAT(log, ::testing::HasSubstr("connection reset; trying again for up to"));
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
  EXPECT_TRUE(tally.failed);
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
