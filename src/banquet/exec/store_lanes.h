#pragma once
// The lanes of one online store, shared by all task groups of a run.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/exec/rate_limit.h"
#include "banquet/online/online_store.h"

namespace banquet {

// A store takes as many writers at once as help it (WriteNeeds::lanes); groups that run together
// wait for a free lane. Safe to share between threads. Borrows the store.
class StoreLanes {
 public:
  // `write_rate_max`: entities a second over all lanes; 0: no limit.
  StoreLanes(std::string name, OnlineStore* store, int64_t write_rate_max = 0);

  // A lane held by one worker; given back by the destructor.
  class Lane {
   public:
    Lane(StoreLanes* lanes, int index) : lanes_(lanes), index_(index) {}
    Lane(Lane&& other) noexcept
        : lanes_(std::exchange(other.lanes_, nullptr)), index_(other.index_) {}
    Lane& operator=(Lane&&) = delete;
    ~Lane() {
      if (lanes_ != nullptr) lanes_->Release(index_);
    }
    int index() const { return index_; }

   private:
    StoreLanes* lanes_;
    int index_;
  };

  // Waits until a lane is free; CancelledError when stop is requested meanwhile.
  Result<Lane> Acquire(const std::stop_token& stop);

  const std::string& name() const {
    return name_;
  }  // For the report: the store's type, or its name in a fan-out.
  OnlineStore& store() const { return *store_; }
  int count() const { return count_; }
  RateLimit& rate() { return rate_; }

  // When the store's trouble began: `now`, unless an attempt of any group failed before and the
  // store has decided no row since.
  std::chrono::steady_clock::time_point TroubleSince(std::chrono::steady_clock::time_point now);
  void EndTrouble();

 private:
  void Release(int index);

  const std::string name_;
  OnlineStore* const store_;
  const int count_;
  RateLimit rate_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<int> free_;
  std::optional<std::chrono::steady_clock::time_point> trouble_since_;
};

}  // namespace banquet
