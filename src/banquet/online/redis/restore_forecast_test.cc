#include "banquet/online/redis/restore_forecast.h"

#include "banquet/base/testing.h"

namespace banquet::redis {
namespace {

// What a chunk of 1000 rows would tell of a server where so many keys exist with a stored time
// (`held`) and so many without (`others`).
RestoreCounts Serve(const RestorePlan& plan, size_t held, size_t others, bool checks) {
  const size_t free = 1000 - held - others;
  RestoreCounts counts;
  if (plan.first) {
    counts = {.tried = 1000, .made = free, .tried_absent = checks ? others : 0};
  } else if (checks) {
    counts = {.checked = 1000, .absent = free + others};
    if (plan.absent) {
      counts.tried = free + others;
      counts.made = free;
      counts.tried_absent = others;
    }
  }
  return counts;
}

struct Tally {
  int first = 0;
  int absent = 0;
};

Tally PlayChunks(RestoreForecast* forecast, int chunks, size_t held, size_t others,
                 bool checks = true) {
  Tally tally;
  for (int i = 0; i < chunks; ++i) {
    const RestorePlan plan = forecast->Next();
    tally.first += plan.first ? 1 : 0;
    tally.absent += plan.absent ? 1 : 0;
    forecast->Add(plan, Serve(plan, held, others, checks));
  }
  return tally;
}

TEST(RestoreForecastTest, ChecksOnceThenTrustsAFirstLoad) {
  RestoreForecast forecast(true);
  EXPECT_EQ(PlayChunks(&forecast, 100, 0, 0).first, 99);
  EXPECT_EQ(PlayChunks(&forecast, 100, 1000, 0).first, 1) << "the first chunk of an update tells";
}

TEST(RestoreForecastTest, ChecksFirstWhereSomeKeysExist) {
  RestoreForecast forecast(true);
  const Tally tally = PlayChunks(&forecast, 100, 300, 0);
  EXPECT_EQ(tally.first, 0);
  EXPECT_EQ(tally.absent, 100);
}

TEST(RestoreForecastTest, GivesUpRestoreWhereOtherViewsHaveTheKeys) {
  RestoreForecast forecast(true);
  const Tally tally = PlayChunks(&forecast, 100, 0, 1000);
  EXPECT_EQ(tally.first, 0);
  EXPECT_EQ(tally.absent, 4) << "the first chunk, and one in 32 to see whether it is so still";
  EXPECT_GT(PlayChunks(&forecast, 100, 0, 0).first, 60);
}

TEST(RestoreForecastTest, StrictTriesRestoreFirstWhereHalfIsNew) {
  RestoreForecast forecast(false);
  EXPECT_EQ(PlayChunks(&forecast, 100, 400, 0).first, 100);
  EXPECT_EQ(PlayChunks(&forecast, 64, 1000, 0).first, 2);
  EXPECT_EQ(PlayChunks(&forecast, 64, 0, 1000).first, 2);
  EXPECT_GT(PlayChunks(&forecast, 100, 0, 0).first, 60);
}

TEST(RestoreForecastTest, WithoutChecksOnlyTriesTell) {
  RestoreForecast forecast(false);
  EXPECT_EQ(PlayChunks(&forecast, 100, 0, 0, false).first, 100);
  EXPECT_EQ(PlayChunks(&forecast, 96, 1000, 0, false).first, 3);
  EXPECT_GT(PlayChunks(&forecast, 100, 0, 0, false).first, 60);
}

TEST(RestoreForecastTest, AnEmptyChunkTellsNothing) {
  RestoreForecast forecast(true);
  EXPECT_EQ(PlayChunks(&forecast, 2, 0, 0).first, 1);
  forecast.Add({.first = true}, {});
  EXPECT_TRUE(forecast.Next().first);
}

}  // namespace
}  // namespace banquet::redis
