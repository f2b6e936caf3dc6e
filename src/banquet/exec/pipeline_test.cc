#include "banquet/exec/pipeline.h"

#include <atomic>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/exec/batch_for_test.h"
#include "banquet/exec/rename_transform.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/scan_source.h"

namespace banquet {
namespace {

// Counts rows; fails or throws at a row number if told to.
class CountingSink final : public Sink {
 public:
  enum class At { kNever, kFail, kThrow };
  explicit CountingSink(At at = At::kNever) : at_(at) {}
  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<Local>(); }
  Status Consume(Local&, Batch batch) override {
    rows += batch.rows->num_rows();
    if (rows > 50 && at_ == At::kFail) return DataError("bad row");
    if (rows > 50 && at_ == At::kThrow) throw std::bad_alloc();
    return Status::OK();
  }
  Status Combine(Local&) override {
    ++combined;
    return Status::OK();
  }
  Status Finish() override {
    finished = true;
    return Status::OK();
  }
  std::atomic<int64_t> rows = 0;
  std::atomic<int> combined = 0;
  bool finished = false;

 private:
  At at_;
};

std::vector<TestRow> Rows(int64_t count) {
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < count; ++i)
    rows.push_back({.key = i, .value = i, .event_us = i, .created_us = {}});
  return rows;
}

TEST(PipelineTest, EveryWorkerCombinesAndFinishRunsOnce) {
  CountingSink sink;
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(Rows(1000), 7)), {}, &sink};
  EXPECT_OK(RunPipeline(pipeline, 4, {}));
  EXPECT_EQ(sink.rows, 1000);
  EXPECT_EQ(sink.combined, 4);
  EXPECT_TRUE(sink.finished);
}

TEST(PipelineTest, TheFirstErrorEndsAllWorkersWithoutFinish) {
  CountingSink sink(CountingSink::At::kFail);
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(Rows(1000), 7)), {}, &sink};
  EXPECT_FAULT(Fault::kData, "bad row", RunPipeline(pipeline, 4, {}));
  EXPECT_FALSE(sink.finished);
}

TEST(PipelineTest, OutOfMemoryInAWorkerIsAnError) {
  CountingSink sink(CountingSink::At::kThrow);
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(Rows(1000), 7)), {}, &sink};
  EXPECT_FAULT(Fault::kRemote, "Out of memory", RunPipeline(pipeline, 2, {}));
}

TEST(PipelineTest, AStopRequestCancels) {
  CountingSink sink;
  std::stop_source stop;
  stop.request_stop();
  const Pipeline pipeline{std::make_unique<VectorSource>(CutIntoBatches(Rows(10), 7)), {}, &sink};
  EXPECT_FAULT(Fault::kCancelled, "Stopped", RunPipeline(pipeline, 2, stop.get_token()));
  EXPECT_FALSE(sink.finished);
}

TEST(ScanSourceTest, WorkersShareTheFragmentsAndEveryRowComesOnce) {
  VectorOfflineStore store(Rows(1000), 13);
  RowFates fates;
  ASSERT_OK_AND_ASSIGN(Scan opened, store.OpenScan({}));
  const auto scan = std::make_shared<const Scan>(std::move(opened));
  CountingSink sink;
  const Pipeline pipeline{MakeScanSource({.scan = scan,
                                          .columns = scan->AllColumns(),
                                          .fragments = NewestFirst(*scan),
                                          .may_skip = {},
                                          .fates = &fates}),
                          {},
                          &sink};
  EXPECT_OK(RunPipeline(pipeline, 3, {}));
  EXPECT_EQ(sink.rows, 1000);
  EXPECT_EQ(fates.read, 1000);
}

TEST(RenameTransformTest, GivesColumnsTheirMappedNamesAndKeepsTheTimes) {
  const std::vector<RenameNode::Column> columns = {
      {"k", "driver_id"}, {"v", "rate"}, {"v", "rate_again"}};
  ASSERT_OK_AND_ASSIGN(RenamedStage stage, MakeRenameTransform(columns, *TestSchema()));
  ASSERT_OK_AND_ASSIGN(const Batch out, stage.transform->Apply(CutIntoBatches(Rows(3), 3).front()));
  EXPECT_THAT(out.rows->schema()->field_names(),
              ::testing::ElementsAre("driver_id", "rate", "rate_again", "__event_time",
                                     "__event_nanos", "__created_time"));
  EXPECT_OK(out.rows->ValidateFull());
}

TEST(RenameTransformTest, AColumnThatTheScanDidNotGiveIsOurBug) {
  const std::vector<RenameNode::Column> columns = {{"absent", "x"}};
  EXPECT_FAULT(Fault::kBug, "absent", MakeRenameTransform(columns, *TestSchema()));
}

}  // namespace
}  // namespace banquet
