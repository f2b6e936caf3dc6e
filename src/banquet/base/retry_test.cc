#include "banquet/base/retry.h"

#include "banquet/base/clock.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryPolicyTest, TheLastAttemptIsAtTheEndOfTheTimeAndNotLater) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RetryPolicy retry({.timeout = seconds(8)}, seed);
    ManualClock clock(0);
    const auto begun = clock.Steady();
    while (true) {
      const milliseconds wait = retry.NextWait({clock.Steady(), clock.Steady()});
      if (wait.count() < 0) break;
      clock.Wait(wait, {});
    }
    EXPECT_EQ(clock.Steady() - begun, seconds(8)) << "seed " << seed;
  }
}

TEST(RetryPolicyTest, WhatOthersFailedBeforeCounts) {
  RetryPolicy retry({.timeout = seconds(8)}, 1);
  ManualClock clock(0);
  const auto begun = clock.Steady();
  clock.Advance(seconds(8));
  EXPECT_LT(retry.NextWait({clock.Steady(), begun}).count(), 0);
}

TEST(RetryPolicyTest, AWaitThatTheServerAskedForIsKeptOrGivenUp) {
  RetryPolicy retry({.timeout = seconds(8)}, 1);
  ManualClock clock(0);
  const auto now = clock.Steady();
  EXPECT_EQ(retry.NextWait({now, now, seconds(5)}), seconds(5));
  EXPECT_LT(retry.NextWait({now, now, seconds(9)}).count(), 0);
}

TEST(RetryPolicyTest, ProgressBeginsTheTimeAnew) {
  RetryPolicy retry({.timeout = seconds(8)}, 1);
  ManualClock clock(0);
  EXPECT_GE(retry.NextWait({clock.Steady(), clock.Steady()}).count(), 0);
  clock.Advance(seconds(9));
  retry.Reset();
  EXPECT_GE(retry.NextWait({clock.Steady(), clock.Steady()}).count(), 0);
  EXPECT_EQ(retry.attempts(), 1);
}

}  // namespace
}  // namespace banquet
