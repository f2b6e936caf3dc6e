#include "banquet/exec/scan_source.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

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
  explicit ScanSource(ScanReading reading) : reading_(std::move(reading)) {}

  Result<Batch> Next() override {
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(std::optional<OpenFragment> fragment, Claim());
      if (!fragment.has_value()) return Batch{};
      Hold hold(this);
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, fragment->reader->Next());
      CountBytes(&*fragment);
      if (rows == nullptr) continue;
      Batch batch{.rows = std::move(rows), .first_row = fragment->next_row, .selection = {}};
      fragment->next_row += batch.rows->num_rows();
      if (reading_.counts_rows) reading_.fates->read += batch.rows->num_rows();
      hold.Return(*std::move(fragment));
      return batch;
    }
  }

 private:
  // A fragment in a worker's hands. However the worker lets go of it (at its end, by an error or by
  // an exception), those who wait are told.
  class Hold {
   public:
    explicit Hold(ScanSource* source) : source_(source) {}
    ~Hold() {
      if (source_ != nullptr) source_->PutBack(std::nullopt);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    void Return(OpenFragment fragment) {
      std::exchange(source_, nullptr)->PutBack(std::move(fragment));
    }
    void Keep() { source_ = nullptr; }  // Somebody else lets go of it.

   private:
    ScanSource* source_;
  };

  // A fragment for this worker alone: one that was left half read, or the next one; waits for one
  // that another worker is reading from. Nothing at the end of all.
  Result<std::optional<OpenFragment>> Claim() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (!idle_.empty()) {
        std::optional<OpenFragment> fragment = std::move(idle_.back());
        idle_.pop_back();
        ++busy_;
        return fragment;
      }
      if (next_ < reading_.fragments.size()) {
        const ScanFragment& fragment = *reading_.scan->fragments[reading_.fragments[next_++]];
        ++busy_;
        lock.unlock();
        {
          Hold hold(this);
          BANQUET_ASSIGN_OR_RETURN(std::optional<OpenFragment> opened, Open(fragment));
          if (opened.has_value()) {
            hold.Keep();
            return opened;
          }
        }
        lock.lock();
      } else if (busy_ == 0) {
        return std::optional<OpenFragment>();
      } else {
        changed_.wait(lock);
      }
    }
  }

  Result<std::optional<OpenFragment>> Open(const ScanFragment& fragment) {
    if (reading_.may_skip && reading_.may_skip(fragment)) {
      if (reading_.counts_rows) {
        reading_.fates->pruned += fragment.rows();
        reading_.fates->skipped += fragment.rows();
        reading_.fates->total -= fragment.rows();
      }
      return std::optional<OpenFragment>();
    }
    BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<FragmentReader> reader,
                             fragment.Open(reading_.columns));
    return std::optional<OpenFragment>(
        OpenFragment{std::move(reader), fragment.first_row(), /*bytes_counted=*/0});
  }

  void PutBack(std::optional<OpenFragment> fragment) {
    {
      std::lock_guard lock(mutex_);
      --busy_;
      if (fragment.has_value()) idle_.push_back(*std::move(fragment));
    }
    changed_.notify_all();
  }

  void CountBytes(OpenFragment* fragment) {
    const int64_t bytes = fragment->reader->bytes_read();
    reading_.fates->bytes_read += bytes - fragment->bytes_counted;
    fragment->bytes_counted = bytes;
  }

  const ScanReading reading_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<OpenFragment> idle_;
  size_t next_ = 0;
  int busy_ = 0;  // Fragments in workers' hands.
};

}  // namespace

std::unique_ptr<Source> MakeScanSource(ScanReading reading) {
  return std::make_unique<ScanSource>(std::move(reading));
}

std::vector<size_t> InInputOrder(const Scan& scan) {
  std::vector<size_t> order(scan.fragments.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<size_t> NewestFirst(const Scan& scan) {
  std::vector<int64_t> greatest_us;
  for (const auto& fragment : scan.fragments) {
    const std::optional<TimeBounds> bounds = fragment->time_bounds();
    greatest_us.push_back(bounds ? bounds->greatest_us : std::numeric_limits<int64_t>::max());
  }
  std::vector<size_t> order = InInputOrder(scan);
  std::ranges::stable_sort(order, std::greater<>(), [&](size_t i) { return greatest_us[i]; });
  return order;
}

}  // namespace banquet
