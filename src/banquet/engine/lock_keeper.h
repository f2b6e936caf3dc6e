#pragma once
// Renews the leases among a group's locks while the group runs.

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/registry/registry.h"

namespace banquet {

// Renews each lock from Keep on until its own end, on a thread of its own if any lock needs it. A
// renewal that fails is told and tried again soon; a lock that was lost is told once and left
// alone: the registry refuses to record under it.
class LockKeeper {
 public:
  // `clock` is borrowed.
  explicit LockKeeper(Clock& clock) : clock_(clock) {}

  // `lock` is borrowed until the keeper's end.
  void Keep(ViewLock* lock);

 private:
  struct Kept {
    ViewLock* lock = nullptr;
    std::chrono::steady_clock::time_point due;
  };
  void Run(const std::stop_token& stop);
  // The one that is due, if any.
  ViewLock* TakeDue();
  void Renew(ViewLock* lock, const std::stop_token& stop);
  std::chrono::milliseconds Tick();

  Clock& clock_;
  std::mutex mutex_;
  std::vector<Kept> kept_;
  std::jthread thread_;  // Stopped and joined before what it uses goes.
};

}  // namespace banquet
