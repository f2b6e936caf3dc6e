#include "banquet/base/percent_text.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(PercentTextTest, DecodesPairsAndLeavesTheRest) {
  EXPECT_EQ(PercentDecoded("a%20b%2Fc%c3%A9"), "a b/c\xc3\xa9");
  EXPECT_EQ(PercentDecoded("100%"), "100%");
  EXPECT_EQ(PercentDecoded("%zz%4"), "%zz%4");
  EXPECT_EQ(PercentDecoded("%%41"), "%A");
}

TEST(PercentTextTest, EncodesAllButWhatIsUnreservedOrKept) {
  EXPECT_EQ(PercentEncoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncoded("a b/\xc3\xa9+"), "a%20b%2F%C3%A9%2B");
  EXPECT_EQ(PercentEncoded("a b/c", "/"), "a%20b/c");
}

}  // namespace
}  // namespace banquet
