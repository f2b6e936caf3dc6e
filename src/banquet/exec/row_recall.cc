#include "banquet/exec/row_recall.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "arrow/record_batch.h"
#include "banquet/exec/batch_spool.h"
#include "banquet/exec/scan_source.h"
#include "banquet/exec/winner_source.h"

namespace banquet {
namespace {

class ScanRecall final : public RowRecall {
 public:
  ScanRecall(std::shared_ptr<const Scan> scan, RowFates* fates)
      : scan_(std::move(scan)), fates_(fates) {}

  Status Keep(const Batch&) override { return Status::OK(); }

  Result<std::unique_ptr<Source>> Winners(std::shared_ptr<const WinnerMap> winners) override {
    ScanReading reading{.scan = scan_,
                        .columns = scan_->AllColumns(),
                        .fragments = {},
                        .may_skip = {},
                        .fates = fates_,
                        .counts_rows = false};
    for (size_t i = 0; i < winners->ranges(); ++i) {
      if (winners->CountOf(i) > 0) reading.fragments.push_back(i);
    }
    return MakeWinnerSource(MakeScanSource(std::move(reading)), std::move(winners));
  }

 private:
  const std::shared_ptr<const Scan> scan_;
  RowFates* const fates_;
};

// A kept batch and where its rows stood.
struct SpooledBatch {
  KeptBatch kept;
  int64_t first_row = 0;
};

class SpoolSource final : public Source {
 public:
  SpoolSource(BatchSpool* spool, std::vector<SpooledBatch>* batches)
      : spool_(spool), batches_(*batches) {}

  Result<Batch> Next() override {
    const size_t index = next_.fetch_add(1);
    if (index >= batches_.size()) return Batch{};
    SpooledBatch& spooled = batches_[index];
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, spool_->Load(spooled.kept));
    spool_->Forget(&spooled.kept);
    return Batch{.rows = std::move(rows), .first_row = spooled.first_row, .selection = {}};
  }

 private:
  BatchSpool* const spool_;
  std::vector<SpooledBatch>& batches_;
  std::atomic<size_t> next_ = 0;
};

class SpoolRecall final : public RowRecall {
 public:
  SpoolRecall(MemoryBudget* budget, std::string spill_directory)
      : spool_(budget, std::move(spill_directory)) {}

  Status Keep(const Batch& batch) override {
    if (batch.selection.has_value() && batch.selection->empty()) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(KeptBatch kept, spool_.Keep(batch.rows));
    std::lock_guard lock(mutex_);
    batches_.push_back({.kept = std::move(kept), .first_row = batch.first_row});
    return Status::OK();
  }

  Result<std::unique_ptr<Source>> Winners(std::shared_ptr<const WinnerMap> winners) override {
    return MakeWinnerSource(std::make_unique<SpoolSource>(&spool_, &batches_), std::move(winners));
  }

 private:
  BatchSpool spool_;
  std::mutex mutex_;
  std::vector<SpooledBatch> batches_;
};

}  // namespace

std::unique_ptr<RowRecall> MakeScanRecall(std::shared_ptr<const Scan> scan, RowFates* fates) {
  return std::make_unique<ScanRecall>(std::move(scan), fates);
}

std::unique_ptr<RowRecall> MakeSpoolRecall(MemoryBudget* budget, std::string spill_directory) {
  return std::make_unique<SpoolRecall>(budget, std::move(spill_directory));
}

std::vector<RowRange> RangesOf(const Scan& scan) {
  std::vector<RowRange> ranges;
  for (const auto& fragment : scan.fragments) {
    ranges.push_back({.first_row = fragment->first_row(), .rows = fragment->rows()});
  }
  return ranges;
}

}  // namespace banquet
