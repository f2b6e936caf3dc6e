#include "banquet/base/retry.h"

#include <algorithm>

namespace banquet {

std::chrono::milliseconds RetryPolicy::NextWait(const Failure& failure) {
  using std::chrono::milliseconds;
  if (attempts_ == 0) first_failure_ = failure.at;
  const int doublings = std::min(attempts_, 20);
  ++attempts_;
  const auto deadline = std::min(first_failure_, failure.trouble_since) + limits_.timeout;
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - failure.at);
  if (left.count() <= 0 || failure.wait_min > left) return milliseconds(-1);
  const milliseconds cap =
      std::min(limits_.wait_max, limits_.first_wait_max * (int64_t{1} << doublings));
  std::uniform_int_distribution<int64_t> jitter(0, cap.count());
  return std::min(left, std::max(failure.wait_min, milliseconds(jitter(random_))));
}

}  // namespace banquet
