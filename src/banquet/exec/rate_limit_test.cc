#include "banquet/exec/rate_limit.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;

const std::chrono::steady_clock::time_point kBegin{std::chrono::hours(1)};

TEST(RateLimitTest, SpreadsWhatIsBookedOverTime) {
  RateLimit limit(100);
  EXPECT_EQ(limit.Book(10, kBegin), milliseconds(0));
  EXPECT_EQ(limit.Book(50, kBegin), milliseconds(100));
  EXPECT_EQ(limit.Book(1, kBegin + milliseconds(200)), milliseconds(400));
}

TEST(RateLimitTest, IdleTimeIsNotMadeUpFor) {
  RateLimit limit(10);
  EXPECT_EQ(limit.Book(1, kBegin), milliseconds(0));
  const auto later = kBegin + std::chrono::seconds(60);
  EXPECT_EQ(limit.Book(1, later), milliseconds(0));
  EXPECT_EQ(limit.Book(1, later), milliseconds(100));
}

TEST(RateLimitTest, APortionIsATenthOfASecondAndOneAtLeast) {
  EXPECT_EQ(RateLimit(1000).PortionOf(10'000), 100u);
  EXPECT_EQ(RateLimit(1000).PortionOf(7), 7u);
  EXPECT_EQ(RateLimit(3).PortionOf(10'000), 1u);
}

TEST(RateLimitTest, WithoutALimitNothingWaits) {
  RateLimit limit(0);
  EXPECT_EQ(limit.PortionOf(10'000), 10'000u);
  EXPECT_EQ(limit.Book(1'000'000, kBegin), milliseconds(0));
  EXPECT_EQ(limit.Book(1'000'000, kBegin), milliseconds(0));
}

}  // namespace
}  // namespace banquet
