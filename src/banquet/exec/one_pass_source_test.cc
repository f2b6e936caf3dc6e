#include "banquet/exec/one_pass_source.h"

#include "arrow/record_batch.h"
#include "banquet/base/testing.h"
#include "banquet/exec/batch_for_test.h"

namespace banquet {
namespace {

// Batches of so many rows, then the end or an error.
class ScriptedReader final : public FragmentReader {
 public:
  ScriptedReader(std::vector<int> batches, Status end)
      : batches_(std::move(batches)), end_(std::move(end)) {}
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ == batches_.size()) {
      ++asked_beyond_;
      EXPECT_EQ(asked_beyond_, 1) << "asked behind the end";
      if (!end_.ok()) return end_;
      return nullptr;
    }
    const std::vector<TestRow> rows(static_cast<size_t>(batches_[next_++]),
                                    TestRow{.key = 1, .event_us = 0});
    return MakeTestBatch(rows);
  }
  int64_t bytes_read() const override { return static_cast<int64_t>(next_) * 10; }

 private:
  const std::vector<int> batches_;
  const Status end_;
  size_t next_ = 0;
  int asked_beyond_ = 0;
};

TEST(OnePassSourceTest, NumbersRowsAsTheyComeAndCountsThem) {
  RowFates fates;
  const auto source =
      MakeOnePassSource(std::make_unique<ScriptedReader>(std::vector{3, 2}, Status::OK()), &fates);
  ASSERT_OK_AND_ASSIGN(Batch batch, source->Next());
  EXPECT_EQ(batch.first_row, 0);
  ASSERT_OK_AND_ASSIGN(batch, source->Next());
  EXPECT_EQ(batch.first_row, 3);
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(batch, source->Next());
    EXPECT_EQ(batch.rows, nullptr);
  }
  EXPECT_EQ(fates.read, 5);
  EXPECT_EQ(fates.bytes_read, 20);
}

TEST(OnePassSourceTest, AnErrorStays) {
  RowFates fates;
  const auto source = MakeOnePassSource(
      std::make_unique<ScriptedReader>(std::vector{1}, RemoteError({}, "lost")), &fates);
  ASSERT_OK(source->Next());
  EXPECT_FAULT(Fault::kRemote, "lost", source->Next());
  EXPECT_FAULT(Fault::kRemote, "lost", source->Next());
  EXPECT_EQ(fates.read, 1);
}

}  // namespace
}  // namespace banquet
