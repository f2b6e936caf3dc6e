#include "banquet/base/memory_budget.h"

#include <thread>
#include <vector>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(MemoryBudgetTest, RefusesWhatGoesBeyondTheLimit) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryTake(60));
  EXPECT_FALSE(budget.TryTake(41));
  EXPECT_EQ(budget.used(), 60);
  EXPECT_TRUE(budget.TryTake(40));
  budget.Give(100);
  EXPECT_EQ(budget.used(), 0);
}

TEST(MemoryBudgetTest, WhatIsNeededIsTakenBeyondTheLimit) {
  MemoryBudget budget(10);
  budget.Take(30);
  EXPECT_EQ(budget.used(), 30);
  EXPECT_FALSE(budget.TryTake(1));
}

TEST(MemoryBudgetTest, ALeaseGivesBackWhatItHoldsOnce) {
  MemoryBudget budget(100);
  {
    MemoryLease lease(&budget);
    EXPECT_TRUE(lease.TryGrow(70));
    EXPECT_FALSE(lease.TryGrow(31));
    lease.Shrink(20);
    MemoryLease moved = std::move(lease);
    EXPECT_EQ(moved.bytes(), 50);
    EXPECT_EQ(budget.used(), 50);
    lease = std::move(moved);
    lease.Grow(60);
    EXPECT_EQ(budget.used(), 110);
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(MemoryBudgetTest, ThreadsNeverTakeMoreThanTheLimitTogether) {
  MemoryBudget budget(1000);
  std::atomic<int64_t> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) taken += budget.TryTake(1) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(taken, 1000);
}

TEST(MemoryBudgetTest, ThePeakGrowsWithWhatIsTouched) {
  const int64_t before = PeakMemoryBytes();
  EXPECT_GT(before, int64_t{1} << 20);
  std::vector<char> touched(size_t{64} << 20, 'x');
  EXPECT_GE(PeakMemoryBytes(), before + (int64_t{32} << 20));
  EXPECT_EQ(touched.back(), 'x');
}

TEST(MemoryBudgetTest, TheMachineHasSomeMemory) {
  EXPECT_GT(UsableMemoryBytes(), int64_t{64} << 20);
}

}  // namespace
}  // namespace banquet
