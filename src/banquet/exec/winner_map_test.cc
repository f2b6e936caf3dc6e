#include "banquet/exec/winner_map.h"

#include <random>
#include <set>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(WinnerMapTest, GivesTheRowsOfEachRangeThatWon) {
  MemoryBudget budget(1 << 20);
  WinnerMap map({{.first_row = 100, .rows = 70}, {.first_row = 500, .rows = 3}}, &budget);
  for (const int64_t position : {100, 163, 164, 169, 502}) map.Set(position);
  EXPECT_EQ(map.CountOf(0), 4);
  EXPECT_EQ(map.CountOf(1), 1);
  std::vector<uint32_t> rows;
  map.AppendRows(100, 70, &rows);
  EXPECT_EQ(rows, (std::vector<uint32_t>{0, 63, 64, 69}));
  rows.clear();
  map.AppendRows(160, 5, &rows);
  EXPECT_EQ(rows, (std::vector<uint32_t>{3, 4}));
  rows.clear();
  map.AppendRows(500, 3, &rows);
  EXPECT_EQ(rows, (std::vector<uint32_t>{2}));
}

TEST(WinnerMapTest, TakesMemoryOnlyForRangesWithWinners) {
  MemoryBudget budget(1 << 20);
  {
    WinnerMap map({{.first_row = 0, .rows = 6400}, {.first_row = 6400, .rows = 64}}, &budget);
    map.Set(6400);
    EXPECT_EQ(budget.used(), 8);
    std::vector<uint32_t> rows;
    map.AppendRows(0, 6400, &rows);
    EXPECT_TRUE(rows.empty());
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(WinnerMapTest, AgreesWithASetForAnyCut) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  MemoryBudget budget(1 << 20);
  WinnerMap map({{.first_row = 1000, .rows = 1000}}, &budget);
  std::set<uint32_t> set;
  for (int i = 0; i < 300; ++i) {
    const auto row = static_cast<uint32_t>(random() % 1000);
    if (set.insert(row).second) map.Set(1000 + row);
  }
  std::vector<uint32_t> found;
  for (int64_t first = 0; first < 1000;) {
    const int64_t count = std::min<int64_t>(1000 - first, 1 + static_cast<int64_t>(random() % 130));
    std::vector<uint32_t> rows;
    map.AppendRows(1000 + first, count, &rows);
    for (const uint32_t row : rows) found.push_back(static_cast<uint32_t>(first) + row);
    first += count;
  }
  EXPECT_EQ(found, std::vector<uint32_t>(set.begin(), set.end()));
}

}  // namespace
}  // namespace banquet
