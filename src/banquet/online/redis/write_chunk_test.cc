#include "banquet/online/redis/write_chunk.h"

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"

namespace banquet::redis {
namespace {

constexpr int64_t kSecond = 1'000'000;

Verdict JudgeStored(Overwrite overwrite, std::optional<StoredTime> stored, int64_t new_us) {
  return Judge(overwrite, stored, new_us);
}

TEST(JudgeTest, NewestWritesEqualAndNewer) {
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, std::nullopt, -5), Verdict::kWrite);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = 5}, 6), Verdict::kWrite);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = 5}, 5), Verdict::kWrite);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = 5}, 4), Verdict::kStale);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = 5, .beyond = true}, 5),
            Verdict::kStale);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = 0}, -1), Verdict::kStale);
  EXPECT_EQ(JudgeStored(Overwrite::kNewest, StoredTime{.us = -5}, -6), Verdict::kStale);
}

// Trap 4 of reliability.md: −1 s, 0, 1 ns, 1 s.
TEST(JudgeTest, FeastIsNotGuardedByTimesAtOrBefore1970) {
  const Overwrite feast = Overwrite::kFeast;
  for (const auto stored : {std::optional<StoredTime>(), std::optional(StoredTime{.us = 0}),
                            std::optional(StoredTime{.us = -kSecond})}) {
    for (const int64_t new_us : {-2 * kSecond, -kSecond, int64_t{0}, kSecond}) {
      EXPECT_EQ(JudgeStored(feast, stored, new_us), Verdict::kWrite);
    }
  }
  const StoredTime one_nano{.us = 0, .beyond = true};
  EXPECT_EQ(JudgeStored(feast, one_nano, 0), Verdict::kStale);
  EXPECT_EQ(JudgeStored(feast, one_nano, 1), Verdict::kWrite);
  const StoredTime second{.us = kSecond};
  EXPECT_EQ(JudgeStored(feast, second, 0), Verdict::kStale);
  EXPECT_EQ(JudgeStored(feast, second, kSecond), Verdict::kUnchanged);
  EXPECT_EQ(JudgeStored(feast, second, kSecond + 1), Verdict::kWrite);
}

TEST(JudgeTest, AlwaysWrites) {
  EXPECT_EQ(JudgeStored(Overwrite::kAlways, StoredTime{.us = 9}, 1), Verdict::kWrite);
}

TEST(WriteChunkTest, CountsARowOncePerEntity) {
  const std::vector<ViewColumns> views = {MakeTestView("v", {"a"}), MakeTestView("w", {"b"})};
  ASSERT_OK_AND_ASSIGN(const RowFrames frames, RowFrames::Make(views, 0));
  BatchBuilder builder(views);
  for (const char* key : {"1", "2", "3", "4"}) builder.Row(key, 1, {"x", "y"});
  WriteChunk chunk;
  chunk.Begin(builder.Build());
  for (uint32_t row = 0; row < 4; ++row) chunk.AddRow(row, 2);
  using enum Verdict;
  chunk.verdicts = {kWrite, kStale, kStale, kUnchanged, kUnchanged, kUnchanged, kWrite, kWrite};
  chunk.refused[3] = 1;
  CommandBuffer out;
  for (uint32_t place = 0; place < 4; ++place) {
    if (chunk.Wants(place, 2)) chunk.PutHset(place, frames, &out, &chunk.sent);
  }
  EXPECT_EQ(chunk.sent.size(), 1U);
  RowOutcomes outcomes;
  chunk.Count(2, &outcomes);
  EXPECT_EQ(outcomes.written, 1);
  EXPECT_EQ(outcomes.stale, 1);
  EXPECT_EQ(outcomes.unchanged, 1);
  EXPECT_EQ(outcomes.undecided, std::vector<uint32_t>{3});
}

}  // namespace
}  // namespace banquet::redis
