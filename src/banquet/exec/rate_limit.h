#pragma once
// How many entities a second a store is given (banquet.write_rate_max).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace banquet {

// Books what is to be done on a schedule of a fixed rate; what waits is never made up for by a
// burst. Plain arithmetic: never sleeps. Safe to share between threads.
class RateLimit {
 public:
  // Entities a second; 0: as many as there are.
  explicit RateLimit(int64_t per_second) : per_second_(per_second) {}

  // Books `count` after all that was booked before, and says how long to wait before doing it.
  std::chrono::milliseconds Book(size_t count, std::chrono::steady_clock::time_point now);

  // What to do at once of `count`: all, or what a tenth of a second allows, one at least.
  size_t PortionOf(size_t count) const;

 private:
  const int64_t per_second_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_at_;  // When all that was booked is done.
};

}  // namespace banquet
