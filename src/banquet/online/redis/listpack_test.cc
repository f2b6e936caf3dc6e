#include "banquet/online/redis/listpack.h"

#include <string>

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

std::string Element(const std::string& text) {
  std::string element(text.size() + kListpackOverheadMax, '\0');
  element.resize(static_cast<size_t>(PutListpackElement(element.data(), text) - element.data()));
  return element;
}

// The document of the format, github.com/antirez/listpack, and what a Redis 7.0 wrote.
TEST(ListpackTest, StoresShortTextBehindOneByte) {
  EXPECT_EQ(HexOf(Element("")), "8001");
  EXPECT_EQ(HexOf(Element("hello")), "8568656c6c6f06");
  EXPECT_EQ(HexOf(Element(std::string(63, 'x'))).substr(0, 4), "bf78");
}

TEST(ListpackTest, StoresLongTextBehindTwoBytesOrFive) {
  EXPECT_EQ(HexOf(Element(std::string(64, 'x'))).substr(0, 6), "e04078");
  EXPECT_EQ(HexOf(Element(std::string(4095, 'x'))).substr(0, 6), "efff78");
  EXPECT_EQ(HexOf(Element(std::string(4096, 'x'))).substr(0, 12), "f00010000078");
}

TEST(ListpackTest, StoresIntegersInTheirWidth) {
  EXPECT_EQ(HexOf(Element("0")), "0001");
  EXPECT_EQ(HexOf(Element("127")), "7f01");
  EXPECT_EQ(HexOf(Element("128")), "c08002");
  EXPECT_EQ(HexOf(Element("-1")), "dfff02");
  EXPECT_EQ(HexOf(Element("-4096")), "d00002");
  EXPECT_EQ(HexOf(Element("4096")), "f1001003");
  EXPECT_EQ(HexOf(Element("-32769")), "f2ff7fff04");
  EXPECT_EQ(HexOf(Element("8388608")), "f30000800005");
  EXPECT_EQ(HexOf(Element("-2147483649")), "f4ffffff7fffffffff09");
}

TEST(ListpackTest, TakesForIntegersOnlyWhatPrintsBackTheSame) {
  EXPECT_EQ(ListpackInteger("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ListpackInteger("-9223372036854775808"), INT64_MIN);
  for (const char* text :
       {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "0x1", "5a", "9223372036854775808",
        "-9223372036854775809", "123456789012345678901"}) {
    EXPECT_EQ(ListpackInteger(text), std::nullopt) << text;
  }
}

TEST(ListpackTest, TellsTheLengthBackwardsInGroupsOfSevenBits) {
  const auto end_of = [](size_t size) {
    const std::string element = Element(std::string(size, 'x'));
    return HexOf(element.substr(element.find_last_of('x') + 1));
  };
  EXPECT_EQ(end_of(125), "7f");
  EXPECT_EQ(end_of(126), "0180");
  EXPECT_EQ(end_of(16380), "018081");
  EXPECT_EQ(end_of(2097160), "0180808d");
}

TEST(ListpackTest, KnowsTheBytesOfATextBeforeItIsWritten) {
  for (const size_t size :
       {0,    1,     62,    63,    64,    124,     125,     126,     127,     128,    4095,
        4096, 16377, 16378, 16380, 16384, 2097145, 2097146, 2097147, 2097148, 2097160}) {
    EXPECT_EQ(Element(std::string(size, 'x')).size(), ListpackStringBytes(size)) << size;
  }
}

}  // namespace
}  // namespace banquet::redis
