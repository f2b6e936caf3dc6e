#pragma once
// Time and waiting behind an interface, so that no test sleeps.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

namespace banquet {

// Safe to share between threads.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowUs() = 0;  // Wall clock, microseconds since the epoch, UTC.
  virtual std::chrono::steady_clock::time_point Steady() = 0;
  // Returns early, with false, when stop is requested.
  virtual bool Wait(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

Clock& SystemClock();

// Moves only when told to or waited on: Wait advances it at once.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_us) : now_us_(now_us) {}
  int64_t NowUs() override { return now_us_; }
  std::chrono::steady_clock::time_point Steady() override {
    return std::chrono::steady_clock::time_point(std::chrono::microseconds(now_us_));
  }
  bool Wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    now_us_ += std::chrono::microseconds(duration).count();
    return !stop.stop_requested();
  }
  void Advance(std::chrono::microseconds duration) { now_us_ += duration.count(); }

 private:
  std::atomic<int64_t> now_us_;
};

}  // namespace banquet
