#include "banquet/base/retry.h"

#include <algorithm>

namespace banquet {

std::chrono::milliseconds RetryPolicy::NextWait(std::chrono::steady_clock::time_point now,
                                                std::chrono::milliseconds at_least) {
  if (attempts_ == 0) first_failure_ = now;
  const int doublings = std::min(attempts_, 20);
  ++attempts_;
  const std::chrono::milliseconds cap =
      std::min(limits_.wait_max, limits_.first_wait_max * (int64_t{1} << doublings));
  std::uniform_int_distribution<int64_t> jitter(0, cap.count());
  const auto wait = std::max(at_least, std::chrono::milliseconds(jitter(random_)));
  if (now + wait - first_failure_ > limits_.timeout) return std::chrono::milliseconds(-1);
  return wait;
}

}  // namespace banquet
