#pragma once
// How long to wait between attempts, and when to give up.

#include <chrono>
#include <random>

namespace banquet {

// Exponential back-off with full jitter (waits are uniform between zero and a doubling cap). Plain
// arithmetic: never sleeps. Used by one thread.
class RetryPolicy {
 public:
  struct Limits {
    std::chrono::milliseconds first_wait_max{100};
    std::chrono::milliseconds wait_max{10'000};
    std::chrono::milliseconds timeout{300'000};  // From the first failure on.
  };
  RetryPolicy(Limits limits, uint64_t seed) : limits_(limits), random_(seed) {}

  // A failure at `now`: how long to wait before the next attempt, at least `at_least` (what the
  // server asked for); a negative duration when the time is up. Reset after progress.
  std::chrono::milliseconds NextWait(std::chrono::steady_clock::time_point now,
                                     std::chrono::milliseconds at_least);
  void Reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }

 private:
  Limits limits_;
  std::mt19937_64 random_;
  int attempts_ = 0;
  std::chrono::steady_clock::time_point first_failure_;
};

}  // namespace banquet
