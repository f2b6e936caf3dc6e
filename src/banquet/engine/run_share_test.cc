#include "banquet/engine/run_share.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(RunShareTest, MuchMemoryFeedsAllThreads) {
  const RunShare share =
      ShareOf({.threads = 4, .parallel_groups = 3, .memory_limit = 4096 * kMiB}, 1);
  EXPECT_EQ(share.workers, 4);
  EXPECT_EQ(share.writers, 4);
  EXPECT_EQ(share.groups, 3);
  EXPECT_EQ(share.state_bytes, (4096 - 12 * 32) * kMiB);
}

TEST(RunShareTest, TheLeastMemoryFeedsOneWorkerAndLeavesHalf) {
  const RunShare share =
      ShareOf({.threads = 8, .parallel_groups = 2, .memory_limit = 64 * kMiB}, 8);
  EXPECT_EQ(share.workers, 1);
  EXPECT_EQ(share.writers, 1);
  EXPECT_EQ(share.groups, 1);
  EXPECT_EQ(share.state_bytes, 32 * kMiB);
}

TEST(RunShareTest, AStoreOfManyLanesHasAsManyWritersAsTheMemoryFeeds) {
  const auto share = [](int64_t limit) {
    return ShareOf({.threads = 2, .parallel_groups = 2, .memory_limit = limit}, 8);
  };
  EXPECT_EQ(share(4096 * kMiB).writers, 8);
  EXPECT_EQ(share(4096 * kMiB).workers, 2);
  EXPECT_EQ(share(4096 * kMiB).state_bytes, (4096 - 16 * 32) * kMiB);
  EXPECT_EQ(share(512 * kMiB).writers, 4);
  EXPECT_EQ(share(256 * kMiB).writers, 2);
}

TEST(RunShareTest, EnginesBesideEachOtherHaveTheirPart) {
  const RunOptions options = {.threads = 2, .parallel_groups = 4, .memory_limit = 4096 * kMiB};
  const RunShare share = ShareOf(options, 1, 2);
  EXPECT_EQ(share.groups, 2);
  EXPECT_EQ(share.state_bytes, (2048 - 4 * 32) * kMiB);
  EXPECT_EQ(ShareOf(options, 1, 9).groups, 1);
}

TEST(RunShareTest, BreakersNeverHaveLessThanHalf) {
  for (int64_t limit = 64 * kMiB; limit <= 1024 * kMiB; limit += 50 * kMiB) {
    const RunShare share = ShareOf({.threads = 3, .parallel_groups = 4, .memory_limit = limit}, 8);
    EXPECT_GE(share.state_bytes * 2, limit);
    EXPECT_GE(share.groups, 1);
    EXPECT_LE(share.groups, 4);
  }
}

TEST(RunShareTest, WithoutALimitTheMachineSays) {
  const RunShare share = ShareOf({}, 1);
  EXPECT_GE(share.workers, 1);
  EXPECT_GE(share.state_bytes, 16 * kMiB);
}

}  // namespace
}  // namespace banquet
