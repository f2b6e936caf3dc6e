#include "banquet/exec/winner_source.h"

#include <mutex>
#include <utility>
#include <vector>

#include "arrow/record_batch.h"
#include "banquet/exec/take_rows.h"

namespace banquet {
namespace {

class WinnerSource final : public Source {
 public:
  WinnerSource(std::unique_ptr<Source> rows, std::shared_ptr<const WinnerMap> winners)
      : rows_(std::move(rows)), winners_(std::move(winners)) {}

  Result<Batch> Next() override {
    if (std::shared_ptr<arrow::RecordBatch> cut = TakeCut(); cut != nullptr) {
      return Batch{.rows = std::move(cut), .first_row = 0, .selection = {}};
    }
    std::vector<std::shared_ptr<arrow::RecordBatch>> pieces;
    int64_t gathered = 0;
    std::vector<uint32_t> won;
    while (gathered < kWriteBatchRows / 2) {
      BANQUET_ASSIGN_OR_RETURN(const Batch batch, rows_->Next());
      if (batch.rows == nullptr) break;
      won.clear();
      winners_->AppendRows(batch.first_row, batch.rows->num_rows(), &won);
      if (won.empty()) continue;
      std::shared_ptr<arrow::RecordBatch> piece = batch.rows;
      if (static_cast<int64_t>(won.size()) < piece->num_rows()) {
        BANQUET_ASSIGN_OR_RETURN(piece, TakeRows(piece, won));
      }
      gathered += piece->num_rows();
      pieces.push_back(std::move(piece));
    }
    if (pieces.empty()) return Batch{};
    std::shared_ptr<arrow::RecordBatch> rows = pieces.front();
    if (pieces.size() > 1) {
      BANQUET_ASSIGN_OR_RETURN(rows, arrow::ConcatenateRecordBatches(pieces));
    }
    return Batch{.rows = KeepCuts(std::move(rows)), .first_row = 0, .selection = {}};
  }

 private:
  // The first part of a batch; the others are for whoever comes next.
  std::shared_ptr<arrow::RecordBatch> KeepCuts(std::shared_ptr<arrow::RecordBatch> rows) {
    if (rows->num_rows() <= kWriteBatchRows) return rows;
    std::lock_guard lock(mutex_);
    for (int64_t at = kWriteBatchRows; at < rows->num_rows(); at += kWriteBatchRows) {
      cuts_.push_back(rows->Slice(at, kWriteBatchRows));
    }
    return rows->Slice(0, kWriteBatchRows);
  }

  std::shared_ptr<arrow::RecordBatch> TakeCut() {
    std::lock_guard lock(mutex_);
    if (cuts_.empty()) return nullptr;
    std::shared_ptr<arrow::RecordBatch> cut = std::move(cuts_.back());
    cuts_.pop_back();
    return cut;
  }

  const std::unique_ptr<Source> rows_;
  const std::shared_ptr<const WinnerMap> winners_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> cuts_;
};

}  // namespace

std::unique_ptr<Source> MakeWinnerSource(std::unique_ptr<Source> rows,
                                         std::shared_ptr<const WinnerMap> winners) {
  return std::make_unique<WinnerSource>(std::move(rows), std::move(winners));
}

}  // namespace banquet
