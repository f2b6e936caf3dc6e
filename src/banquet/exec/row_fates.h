#pragma once
// What became of every row: the counters that must add up (architecture rule 4).

#include <atomic>
#include <cstdint>
#include <mutex>

#include "banquet/base/status.h"

namespace banquet {

// Counted while a group runs; read at any time by whoever shows progress. `read` counts rows
// received from the source.
struct RowFates {
  std::atomic<int64_t> read = 0;
  std::atomic<int64_t> outside_window = 0;
  std::atomic<int64_t> null_key = 0;
  std::atomic<int64_t> null_time = 0;
  std::atomic<int64_t> duplicates = 0;
  std::atomic<int64_t> full_ties = 0;  // Among duplicates: equal to the winner in both times.
  std::atomic<int64_t> quarantined = 0;
  std::atomic<int64_t> winners = 0;
  std::atomic<int64_t> pruned = 0;   // Never received; not part of read.
  std::atomic<int64_t> skipped = 0;  // Of those: since none of the row group's can be newest.
  std::atomic<int64_t> total = 0;    // Rows that will be read; 0 until known.
  std::atomic<int64_t> bytes_read = 0;
};

// The same for one store: winners = written + stale + unchanged + undecided.
struct StoreTally {
  std::atomic<int64_t> written = 0;
  std::atomic<int64_t> stale = 0;
  std::atomic<int64_t> unchanged = 0;
  std::atomic<int64_t> bytes = 0;
  std::atomic<int> with_store = 0;  // Batches that the store has, or that are to be sent again.

  // The store is why the run failed. The first failure stays.
  void Fail(const Status& failure) {
    std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = failure;
  }
  Status failure() const {
    std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  mutable std::mutex mutex_;
  Status failure_;
};

}  // namespace banquet
