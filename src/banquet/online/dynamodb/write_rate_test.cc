#include "banquet/online/dynamodb/write_rate.h"

#include "banquet/base/testing.h"

namespace banquet::dynamodb {
namespace {

using std::chrono::milliseconds;
using TimePoint = WriteRate::TimePoint;

TimePoint At(int ms) { return TimePoint(milliseconds(1'000'000 + ms)); }

TEST(WriteRate, ASecondsWorthGoesAtOnceAndThenItPaces) {
  WriteRate rate({.start = 100, .most = 100});
  EXPECT_EQ(rate.Book(100, At(0)), milliseconds(0));
  EXPECT_EQ(rate.Book(50, At(0)), milliseconds(500));
  EXPECT_EQ(rate.Book(50, At(500)), milliseconds(500));
  EXPECT_EQ(rate.Book(100, At(10'000)), milliseconds(0))
      << "no more than a second's worth is saved";
  EXPECT_EQ(rate.Book(1, At(10'000)), milliseconds(10));
}

TEST(WriteRate, GrowsSlowlyUpToWhatIsAllowed) {
  WriteRate rate({.start = 100, .most = 110});
  rate.Book(1, At(0));
  rate.Book(1, At(1000));
  EXPECT_DOUBLE_EQ(rate.units_per_second(), 105);
  rate.Book(1, At(60'000));
  EXPECT_DOUBLE_EQ(rate.units_per_second(), 110);
}

TEST(WriteRate, FallsByThrottlingOnceForManyAnswers) {
  WriteRate rate({.start = 100, .least = 40});
  rate.Book(1, At(0));
  rate.Throttled(At(0));
  rate.Throttled(At(400));
  EXPECT_NEAR(rate.units_per_second(), 70, 3);
  rate.Throttled(At(600));
  EXPECT_NEAR(rate.units_per_second(), 50, 3);
  for (int i = 0; i < 10; ++i) rate.Throttled(At(2000 + i * 600));
  EXPECT_NEAR(rate.units_per_second(), 40, 4);
  EXPECT_GE(rate.units_per_second(), 40);
}

TEST(WriteRate, ALowLimitHoldsFromTheStart) {
  WriteRate rate({.start = 4000, .least = 2, .most = 2});
  EXPECT_EQ(rate.Book(4, At(0)), milliseconds(1000));
}

}  // namespace
}  // namespace banquet::dynamodb
