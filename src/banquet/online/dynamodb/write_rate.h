#pragma once
// How fast a table may be written: found out while it is written.

#include <chrono>
#include <mutex>

namespace banquet::dynamodb {

// Write units a second: a little more as long as the service takes them, by three tenths less when
// it throttles. Shared by all who write the table. Plain arithmetic: never sleeps.
class WriteRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Limits {
    double start = 4000;  // What the table is known to take.
    double least = 5;
    double most = 1e9;  // What the user allows.
  };
  explicit WriteRate(Limits limits);

  // Takes `units` from the allowance; how long to wait before they are used. A second's worth may
  // be saved up.
  std::chrono::milliseconds Book(double units, TimePoint now);
  // The service throttled. Its answers to what was sent before count as one.
  void Throttled(TimePoint now);

  double units_per_second() const;

 private:
  void Grow(TimePoint now);

  const Limits limits_;
  mutable std::mutex mutex_;
  double rate_;
  double allowance_ = 0;  // Negative: owed.
  bool has_begun_ = false;
  TimePoint counted_at_;
  TimePoint slowed_at_;
};

}  // namespace banquet::dynamodb
