#include "banquet/client/http/form.h"

#include "banquet/base/testing.h"
#include "banquet/client/http/http_date.h"

namespace banquet {
namespace {

TEST(FormTest, ValuesAreEscapedAndEmptyOnesLeftOut) {
  EXPECT_EQ(FormBody({}), "");
  EXPECT_EQ(FormBody({{"a", "1"}, {"none", ""}, {"b", "x y&z=/é"}}), "a=1&b=x%20y%26z%3D%2F%C3%A9");
}

TEST(HttpDateTest, ReadsTheOneFormat) {
  EXPECT_EQ(SecondsOfHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(SecondsOfHttpDate("1994-11-06"), 0);
  EXPECT_EQ(SecondsOfHttpDate(""), 0);
}

}  // namespace
}  // namespace banquet
