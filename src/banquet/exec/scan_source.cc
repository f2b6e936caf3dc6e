#include "banquet/exec/scan_source.h"

#include <mutex>
#include <utility>
#include <vector>

#include "arrow/record_batch.h"

namespace banquet {
namespace {

// A fragment that is being read, and how far.
struct OpenFragment {
  std::unique_ptr<FragmentReader> reader;
  int64_t next_row = 0;
  int64_t bytes_counted = 0;
};

class ScanSource final : public Source {
 public:
  ScanSource(Scan scan, RowFates* fates) : scan_(std::move(scan)), fates_(fates) {}

  Result<Batch> Next() override {
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(std::optional<OpenFragment> fragment, Claim());
      if (!fragment.has_value()) return Batch{};
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, fragment->reader->Next());
      const int64_t bytes = fragment->reader->bytes_read();
      fates_->bytes_read += bytes - fragment->bytes_counted;
      fragment->bytes_counted = bytes;
      if (rows == nullptr) continue;
      Batch batch{.rows = std::move(rows), .first_row = fragment->next_row, .selection = {}};
      fragment->next_row += batch.rows->num_rows();
      fates_->read += batch.rows->num_rows();
      std::lock_guard lock(mutex_);
      idle_.push_back(std::move(*fragment));
      return batch;
    }
  }

 private:
  // A fragment for this worker alone: one that was left half read, or the next one. Whoever finds
  // none is done; the fragments then being read by others are finished by them.
  Result<std::optional<OpenFragment>> Claim() {
    const ScanFragment* fresh = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::optional<OpenFragment> fragment = std::move(idle_.back());
        idle_.pop_back();
        return fragment;
      }
      if (next_fragment_ == scan_.fragments.size()) return std::optional<OpenFragment>();
      fresh = scan_.fragments[next_fragment_++].get();
    }
    BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<FragmentReader> reader, fresh->Open());
    return std::optional<OpenFragment>(OpenFragment{std::move(reader), fresh->first_row(), 0});
  }

  const Scan scan_;
  RowFates* const fates_;
  std::mutex mutex_;
  std::vector<OpenFragment> idle_;
  size_t next_fragment_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeScanSource(Scan scan, RowFates* fates) {
  return std::make_unique<ScanSource>(std::move(scan), fates);
}

}  // namespace banquet
