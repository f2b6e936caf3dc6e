#include "banquet/exec/one_pass_source.h"

#include <mutex>
#include <utility>

#include "arrow/record_batch.h"

namespace banquet {
namespace {

class OnePassSource final : public Source {
 public:
  OnePassSource(std::unique_ptr<FragmentReader> stream, RowFates* fates)
      : stream_(std::move(stream)), fates_(fates) {}

  Result<Batch> Next() override {
    const std::lock_guard lock(mutex_);
    BANQUET_RETURN_NOT_OK(failure_);
    if (stream_ == nullptr) return Batch{};
    Result<std::shared_ptr<arrow::RecordBatch>> rows = stream_->Next();
    const int64_t bytes = stream_->bytes_read();
    fates_->bytes_read += bytes - bytes_counted_;
    bytes_counted_ = bytes;
    if (!rows.ok()) {
      // Others may wait for their turn: what is behind an error is not asked for.
      failure_ = rows.status();
      return failure_;
    }
    if (*rows == nullptr) {
      stream_.reset();
      return Batch{};
    }
    Batch batch{.rows = *std::move(rows), .first_row = next_row_, .selection = {}};
    next_row_ += batch.rows->num_rows();
    fates_->read += batch.rows->num_rows();
    return batch;
  }

 private:
  std::unique_ptr<FragmentReader> stream_;  // Null: at its end.
  RowFates* const fates_;
  std::mutex mutex_;
  Status failure_;
  int64_t next_row_ = 0;
  int64_t bytes_counted_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeOnePassSource(std::unique_ptr<FragmentReader> stream, RowFates* fates) {
  return std::make_unique<OnePassSource>(std::move(stream), fates);
}

}  // namespace banquet
