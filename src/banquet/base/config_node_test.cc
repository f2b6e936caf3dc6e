#include "banquet/base/config_node.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

ConfigNode Scalar(const std::string& text) {
  return {.kind = ConfigNode::Kind::kScalar, .scalar = text};
}

ConfigNode Map(std::vector<ConfigEntry> entries) {
  ConfigNode node{.kind = ConfigNode::Kind::kMap};
  node.entries = std::move(entries);
  return node;
}

TEST(ConfigNodeTest, SaysTheSameWhereverItStands) {
  ConfigNode a = Map({{"path", Scalar("x")}, {"more", Map({{"k", Scalar("v")}})}});
  ConfigNode b = a;
  b.location = {.file = "elsewhere", .line = 7};
  EXPECT_TRUE(a.SaysTheSame(b));
  b.entries[1].value.entries[0].value.scalar = "w";
  EXPECT_FALSE(a.SaysTheSame(b));
  EXPECT_FALSE(a.SaysTheSame(Map({{"path", Scalar("x")}})));
  EXPECT_FALSE(a.SaysTheSame(Scalar("x")));
  ConfigNode list{.kind = ConfigNode::Kind::kList};
  list.items = {Scalar("1")};
  ConfigNode longer = list;
  longer.items.push_back(Scalar("2"));
  EXPECT_TRUE(list.SaysTheSame(list));
  EXPECT_FALSE(list.SaysTheSame(longer));
}

}  // namespace
}  // namespace banquet
