#include "banquet/base/clock.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(SystemClock, MovesOnlyForward) {
  Clock& clock = SystemClock();
  const auto before = clock.Steady();
  EXPECT_GT(clock.NowUs(), 1'704'067'200'000'000);  // 2024.
  EXPECT_GE(clock.Steady(), before);
}

TEST(SystemClock, AStopEndsTheWaitAtOnce) {
  std::stop_source stop;
  stop.request_stop();
  const auto before = SystemClock().Steady();
  EXPECT_FALSE(SystemClock().Wait(std::chrono::hours(1), stop.get_token()));
  EXPECT_LT(SystemClock().Steady() - before, std::chrono::minutes(1));
}

TEST(SystemClock, AWaitOfNoTimeEndsByItself) {
  EXPECT_TRUE(SystemClock().Wait(std::chrono::milliseconds(0), std::stop_token()));
}

TEST(ManualClock, WaitingMovesIt) {
  ManualClock clock(5);
  const auto before = clock.Steady();
  EXPECT_TRUE(clock.Wait(std::chrono::milliseconds(2), std::stop_token()));
  EXPECT_EQ(clock.NowUs(), 2'005);
  clock.Advance(std::chrono::microseconds(10));
  EXPECT_EQ(clock.Steady() - before, std::chrono::microseconds(2'010));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.Wait(std::chrono::milliseconds(1), stop.get_token()));
}

}  // namespace
}  // namespace banquet
