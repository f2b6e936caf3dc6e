#include "banquet/encode/entity_key_text.h"

#include "banquet/base/testing.h"
#include "banquet/encode/entity_key.h"

namespace banquet {
namespace {

std::string TextOf(const std::vector<Field>& join_keys, const std::vector<std::string>& values,
                   int version = 3) {
  return EntityKeyToText(SerializeEntityKey(join_keys, version, values).ValueOrDie());
}

Field KeyOf(const std::string& name, ValueType type) {
  return {.name = name, .type = type, .tags = {}, .description = {}};
}

TEST(EntityKeyText, NamesEveryJoinKeyAndItsValue) {
  EXPECT_EQ(TextOf({KeyOf("driver_id", ValueType::kInt64)}, {"1001"}), "driver_id=1001");
  EXPECT_EQ(TextOf({KeyOf("a", ValueType::kInt32), KeyOf("b", ValueType::kString)}, {"-7", "x y"}),
            "a=-7,b=x y");
  EXPECT_EQ(TextOf({KeyOf("b", ValueType::kBytes)}, {"\x01z"}), "b=017a");
  EXPECT_EQ(TextOf({KeyOf("t", ValueType::kUnixTimestamp)}, {"12"}), "t=12");
}

TEST(EntityKeyText, WhatIsNoKeyIsShownAsItsBytes) {
  const std::string key = SerializeEntityKey(std::vector{KeyOf("d", ValueType::kInt64)}, 3,
                                             std::vector<std::string>{"1"})
                              .ValueOrDie();
  for (size_t size = 0; size < key.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_EQ(EntityKeyToText(key.substr(0, size)).size(), 2 * size);
  }
  EXPECT_EQ(EntityKeyToText(key + "x").size(), 2 * (key.size() + 1));
  EXPECT_EQ(EntityKeyToText("\xff\x01"), "ff01");
}

}  // namespace
}  // namespace banquet
