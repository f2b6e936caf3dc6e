#include "banquet/cli/text_table.h"

#include "gtest/gtest.h"

namespace banquet {
namespace {

TEST(TextTableTest, PadsColumnsAndTrimsLineEnds) {
  EXPECT_EQ(FormatTable({{"NAME", "N"}, {"é", "10"}}, {false, true}), "NAME   N\né     10\n");
}

TEST(TextTableTest, ShortensBetweenLetters) {
  EXPECT_EQ(Shortened("driver", 6), "driver");
  EXPECT_EQ(Shortened("drivers", 6), "drive…");
  EXPECT_EQ(Shortened("éééé", 3), "éé…");
  EXPECT_EQ(Shortened("abc", 1), "…");
  EXPECT_EQ(WidthOf(Shortened("ééééé", 4)), 4u);
}

TEST(TextTableTest, GroupsThousands) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1'234'567), "1,234,567");
  EXPECT_EQ(WithThousands(-1000), "-1,000");
}

TEST(TextTableTest, SecondsForPeople) {
  EXPECT_EQ(FormatSeconds(0.417), "0.42 s");
  EXPECT_EQ(FormatSeconds(100), "100.0 s");
  EXPECT_EQ(FormatSeconds(200), "3m 20s");
  EXPECT_EQ(FormatSeconds(7260), "2h 01m");
}

}  // namespace
}  // namespace banquet
