#include "banquet/exec/winner_source.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/util/byte_size.h"
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
    Size gathered;
    std::vector<uint32_t> won;
    while (!gathered.IsEnough()) {
      BANQUET_ASSIGN_OR_RETURN(const Batch batch, rows_->Next());
      if (batch.rows == nullptr) break;
      won.clear();
      winners_->AppendRows(batch.first_row, batch.rows->num_rows(), &won);
      if (won.empty()) continue;
      std::shared_ptr<arrow::RecordBatch> piece = batch.rows;
      if (static_cast<int64_t>(won.size()) < piece->num_rows()) {
        BANQUET_ASSIGN_OR_RETURN(piece, TakeRows(piece, won));
      }
      BANQUET_ASSIGN_OR_RETURN(const int64_t bytes, RowBytesOf(*piece));
      const int64_t rows_max = WriteRowsMax(*piece, bytes);
      if (piece->num_rows() > rows_max / 2) {
        // Large enough by itself, and not to be copied once more.
        KeepCuts(piece, rows_max, /*from=*/pieces.empty() ? rows_max : 0);
        if (pieces.empty()) pieces.push_back(piece->Slice(0, rows_max));
        break;
      }
      gathered.Add(*piece, bytes);
      pieces.push_back(std::move(piece));
    }
    if (pieces.empty()) return Batch{};
    std::shared_ptr<arrow::RecordBatch> rows = pieces.front();
    if (pieces.size() > 1) {
      BANQUET_ASSIGN_OR_RETURN(rows, arrow::ConcatenateRecordBatches(pieces));
    }
    return Batch{.rows = std::move(rows), .first_row = 0, .selection = {}};
  }

 private:
  // Of pieces that are put together: each is less than half of a batch, so that all are less than
  // one.
  struct Size {
    int64_t rows = 0;
    int64_t bytes = 0;
    int64_t values = 0;
    void Add(const arrow::RecordBatch& piece, int64_t piece_bytes) {
      rows += piece.num_rows();
      bytes += piece_bytes;
      values += piece.num_rows() * piece.num_columns();
    }
    bool IsEnough() const {
      return rows * 2 >= kWriteBatchRows || bytes * 2 >= kWriteBatchBytes ||
             values * 2 >= kWriteBatchValues;
    }
  };

  // The parts of a batch from a row on, for whoever comes next.
  void KeepCuts(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t rows_max, int64_t from) {
    std::lock_guard lock(mutex_);
    for (int64_t at = from; at < rows->num_rows(); at += rows_max) {
      cuts_.push_back(rows->Slice(at, rows_max));
    }
  }

  // Null: there is none.
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

Result<int64_t> RowBytesOf(const arrow::RecordBatch& rows) {
  return arrow::util::ReferencedBufferSize(rows);
}

int64_t WriteRowsMax(const arrow::RecordBatch& rows, int64_t bytes) {
  const int64_t row_bytes = bytes / std::max<int64_t>(rows.num_rows(), 1) + 1;
  const int64_t by_values = kWriteBatchValues / std::max(rows.num_columns(), 1);
  return std::clamp<int64_t>(std::min(kWriteBatchBytes / row_bytes, by_values), 1, kWriteBatchRows);
}

std::unique_ptr<Source> MakeWinnerSource(std::unique_ptr<Source> rows,
                                         std::shared_ptr<const WinnerMap> winners) {
  return std::make_unique<WinnerSource>(std::move(rows), std::move(winners));
}

}  // namespace banquet
