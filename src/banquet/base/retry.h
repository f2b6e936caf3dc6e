#pragma once
// How long to wait between attempts, and when to give up.

#include <chrono>
#include <random>

namespace banquet {

// Exponential back-off with full jitter (waits are uniform between zero and a doubling cap); the
// last attempt is at the end of the timeout at the latest. Plain arithmetic: never sleeps. Used by
// one thread.
class RetryPolicy {
 public:
  struct Limits {
    std::chrono::milliseconds first_wait_max{100};
    std::chrono::milliseconds wait_max{10'000};
    std::chrono::milliseconds timeout{300'000};  // From the first failure on.
  };
  RetryPolicy(Limits limits, uint64_t seed) : limits_(limits), random_(seed) {}

  struct Failure {
    std::chrono::steady_clock::time_point at;
    std::chrono::steady_clock::time_point trouble_since;  // Others may have failed before.
    std::chrono::milliseconds wait_min{0};                // What the server asked for.
  };
  // How long to wait before the next attempt; a negative duration when the time is up. Reset after
  // progress.
  std::chrono::milliseconds NextWait(const Failure& failure);
  void Reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }

 private:
  Limits limits_;
  std::mt19937_64 random_;
  int attempts_ = 0;
  std::chrono::steady_clock::time_point first_failure_;
};

}  // namespace banquet
