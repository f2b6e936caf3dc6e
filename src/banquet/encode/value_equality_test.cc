#include "banquet/encode/value_equality.h"

#include <cstdint>
#include <string>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

// Tag, length and content; all of them short.
std::string Field(uint32_t field, const std::string& content) {
  const uint32_t tag = field << 3 | 2;
  std::string bytes;
  if (tag < 0x80) {
    bytes = static_cast<char>(tag);
  } else {
    bytes = {static_cast<char>(tag | 0x80), static_cast<char>(tag >> 7)};
  }
  return bytes + static_cast<char>(content.size()) + content;
}

std::string Entry(const std::string& key, const std::string& text) {
  return Field(1, Field(1, key) + Field(2, Field(2, text)));
}

const std::string kMap = Field(20, Entry("a", "1") + Entry("b", "2"));
const std::string kMapTurned = Field(20, Entry("b", "2") + Entry("a", "1"));
const std::string kOtherMap = Field(20, Entry("b", "1") + Entry("a", "2"));
const std::string kSet = Field(23, Field(1, "x") + Field(1, "y"));
const std::string kSetTurned = Field(23, Field(1, "y") + Field(1, "x"));
const std::string kList = Field(12, Field(1, "x") + Field(1, "y"));
const std::string kListTurned = Field(12, Field(1, "y") + Field(1, "x"));

TEST(ValueEquality, MapsAndSetsHaveNoOrder) {
  EXPECT_TRUE(IsSameValue(ValueType::kMap, kMap, kMapTurned));
  EXPECT_TRUE(IsSameValue(ValueType::kStringSet, kSet, kSetTurned));
}

TEST(ValueEquality, OtherEntriesAreAnotherValue) {
  EXPECT_FALSE(IsSameValue(ValueType::kMap, kMap, kOtherMap));
  EXPECT_FALSE(IsSameValue(ValueType::kStringSet, kSet, Field(23, Field(1, "x") + Field(1, "z"))));
  EXPECT_FALSE(IsSameValue(ValueType::kMap, kMap, ""));
}

TEST(ValueEquality, ListsAndScalarsHaveOne) {
  EXPECT_FALSE(IsSameValue(ValueType::kStringList, kList, kListTurned));
  EXPECT_FALSE(IsSameValue(ValueType::kString, Field(2, "a"), Field(2, "b")));
  EXPECT_TRUE(IsSameValue(ValueType::kString, Field(2, "a"), Field(2, "a")));
}

TEST(ValueEquality, DamagedBytesAreEqualToThemselvesAlone) {
  const std::string damaged = kMap.substr(0, kMap.size() - 1) + '\xff';
  EXPECT_TRUE(IsSameValue(ValueType::kMap, damaged, damaged));
  EXPECT_FALSE(IsSameValue(ValueType::kMap, damaged, kMap));
  EXPECT_FALSE(IsSameValue(ValueType::kMap, kMap, damaged));
}

}  // namespace
}  // namespace banquet
