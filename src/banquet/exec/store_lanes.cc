#include "banquet/exec/store_lanes.h"

#include <algorithm>

namespace banquet {

StoreLanes::StoreLanes(std::string name, OnlineStore* store, int64_t write_rate_max)
    : name_(std::move(name)),
      store_(store),
      count_(std::max(1, store->needs().lanes)),
      rate_(write_rate_max) {
  for (int i = count_; i-- > 0;) free_.push_back(i);
}

Result<StoreLanes::Lane> StoreLanes::Acquire(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait(lock, stop, [this] { return !free_.empty(); })) return CancelledError();
  const int index = free_.back();
  free_.pop_back();
  return Lane(this, index);
}

void StoreLanes::Release(int index) {
  {
    std::lock_guard lock(mutex_);
    free_.push_back(index);
  }
  freed_.notify_one();
}

std::chrono::steady_clock::time_point StoreLanes::TroubleSince(
    std::chrono::steady_clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (!trouble_since_.has_value()) trouble_since_ = now;
  return *trouble_since_;
}

void StoreLanes::EndTrouble() {
  std::lock_guard lock(mutex_);
  trouble_since_.reset();
}

}  // namespace banquet
