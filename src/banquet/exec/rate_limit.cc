#include "banquet/exec/rate_limit.h"

#include <algorithm>

namespace banquet {
namespace {

constexpr int64_t kPortionsPerSecond = 10;

}  // namespace

std::chrono::milliseconds RateLimit::Book(size_t count, std::chrono::steady_clock::time_point now) {
  if (per_second_ == 0) return std::chrono::milliseconds(0);
  const std::chrono::duration<double> takes(static_cast<double>(count) /
                                            static_cast<double>(per_second_));
  std::lock_guard lock(mutex_);
  const auto begin = std::max(now, free_at_);
  free_at_ = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(takes);
  return std::chrono::ceil<std::chrono::milliseconds>(begin - now);
}

size_t RateLimit::PortionOf(size_t count) const {
  if (per_second_ == 0) return count;
  return std::min(count,
                  static_cast<size_t>(std::max<int64_t>(per_second_ / kPortionsPerSecond, 1)));
}

}  // namespace banquet
