#include "banquet/online/dynamodb/write_rate.h"

#include <algorithm>

namespace banquet::dynamodb {
namespace {

constexpr double kSlower = 0.7;
constexpr double kGrowthPerSecond = 0.05;  // Of the rate at the start.
constexpr std::chrono::milliseconds kOneAnswer{500};

}  // namespace

WriteRate::WriteRate(Limits limits)
    : limits_(limits), rate_(std::clamp(limits.start, limits.least, limits.most)) {}

std::chrono::milliseconds WriteRate::Book(double units, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Grow(now);
  allowance_ -= units;
  if (allowance_ >= 0) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::chrono::duration<double>(-allowance_ / rate_));
}

void WriteRate::Throttled(TimePoint now) {
  const std::lock_guard lock(mutex_);
  Grow(now);
  if (now - slowed_at_ < kOneAnswer && slowed_at_ != TimePoint()) return;
  rate_ = std::max(limits_.least, rate_ * kSlower);
  allowance_ = std::min(allowance_, 0.0);
  slowed_at_ = now;
}

double WriteRate::units_per_second() const {
  const std::lock_guard lock(mutex_);
  return rate_;
}

void WriteRate::Grow(TimePoint now) {
  if (!has_begun_) {
    has_begun_ = true;
    counted_at_ = now;
    allowance_ = rate_;
    return;
  }
  const double seconds = std::chrono::duration<double>(now - counted_at_).count();
  if (seconds <= 0) return;
  counted_at_ = now;
  allowance_ = std::min(rate_, allowance_ + rate_ * seconds);
  rate_ = std::min(limits_.most, rate_ + limits_.start * kGrowthPerSecond * seconds);
}

}  // namespace banquet::dynamodb
