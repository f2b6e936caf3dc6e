#include "banquet/config/yaml_reader.h"

#include <random>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<ConfigNode> Read(const std::string& text) {
  std::vector<std::string> warnings;
  return ReadYaml(text, "f.yaml", &warnings);
}

TEST(ReadYaml, KeepsKindsOrderQuotesAndLines) {
  ASSERT_OK_AND_ASSIGN(const ConfigNode root,
                       Read("b: 5\na:\n  - x\n  - 'y'\nn: ~\nm: {k: \"v\"}\ne:\n"));
  ASSERT_EQ(root.entries.size(), 5);
  EXPECT_EQ(root.entries[0].key, "b");
  EXPECT_FALSE(root.Find("b")->quoted);
  const ConfigNode& list = *root.Find("a");
  EXPECT_EQ(list.kind, ConfigNode::Kind::kList);
  EXPECT_EQ(list.location.ToString(), "f.yaml:2");  // Of the key.
  EXPECT_EQ(list.items.at(1).scalar, "y");
  EXPECT_TRUE(list.items.at(1).quoted);
  EXPECT_EQ(list.items.at(1).location.line, 4);
  EXPECT_EQ(root.Find("n")->kind, ConfigNode::Kind::kNull);
  EXPECT_EQ(root.Find("e")->kind, ConfigNode::Kind::kNull);
  EXPECT_TRUE(root.Find("m")->Find("k")->quoted);
}

TEST(ReadYaml, TellsNullFromItsQuotedWord) {
  ASSERT_OK_AND_ASSIGN(const ConfigNode root,
                       Read("a: null\nb: 'null'\nc: ''\nd: !!str null_\ne: Null\n"));
  EXPECT_EQ(root.Find("a")->kind, ConfigNode::Kind::kNull);
  EXPECT_EQ(root.Find("b")->scalar, "null");
  EXPECT_EQ(root.Find("c")->kind, ConfigNode::Kind::kScalar);
  EXPECT_TRUE(root.Find("d")->quoted);
  EXPECT_EQ(root.Find("e")->kind, ConfigNode::Kind::kNull);
}

TEST(ReadYaml, MergesMapsAsSafeLoadDoes) {
  ASSERT_OK_AND_ASSIGN(const ConfigNode root,
                       Read("base: &base {x: 1, y: 2}\nmore: &more {y: 3, z: 4}\n"
                            "one: {<<: *base, x: 9}\ntwo: {<<: [*base, *more]}\n"));
  EXPECT_EQ(root.Find("one")->Find("x")->scalar, "9");
  EXPECT_EQ(root.Find("one")->Find("y")->scalar, "2");
  EXPECT_EQ(root.Find("one")->entries.size(), 2);
  EXPECT_EQ(root.Find("two")->Find("y")->scalar, "2");
  EXPECT_EQ(root.Find("two")->Find("z")->scalar, "4");
  EXPECT_FAULT(Fault::kUser, "f.yaml:1: <<: merge a map", Read("a: {<<: 5}\n"));
  EXPECT_FAULT(Fault::kUser, "<<: merge a map", Read("a: {<<: [{x: 1}, 5]}\n"));
}

TEST(ReadYaml, TheLastOfTwinKeysCounts) {
  std::vector<std::string> warnings;
  ASSERT_OK_AND_ASSIGN(const ConfigNode root, ReadYaml("a: 1\nb: 2\na: 3\n", "f.yaml", &warnings));
  EXPECT_EQ(root.Find("a")->scalar, "3");
  EXPECT_EQ(root.entries.size(), 2);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("f.yaml:3: a: stands twice")));
}

TEST(ReadYaml, RefusesTagsOtherThanYamlsOwn) {
  EXPECT_OK(Read("a: !!int 5\nb: !!seq [1]\nc: !!map {d: 1}\n"));
  EXPECT_FAULT(Fault::kUser,
               "f.yaml:2: YAML tags are not allowed; remove tag:yaml.org,2002:python/object",
               Read("x: 1\na: !!python/object:os.system [x]\n"));
  EXPECT_FAULT(Fault::kUser, "YAML tags are not allowed; remove !mine", Read("a: !mine 5\n"));
  EXPECT_FAULT(Fault::kUser, "YAML tags are not allowed", Read("a: !mine {b: 1}\n"));
  EXPECT_FAULT(Fault::kUser, "YAML tags are not allowed", Read("!mine a: 1\n"));
}

TEST(ReadYaml, BoundsWhatAliasesExpandTo) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    std::string line = "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) line += ", " + before;
    bomb += line + "]\n";
  }
  EXPECT_FAULT(Fault::kUser, "too many values, aliases counted", Read(bomb));
  EXPECT_FAULT(Fault::kUser, "nested too deeply", Read("a: &a [*a]\n"));
}

TEST(ReadYaml, BoundsDepthAndLength) {
  const auto nested = [](int depth) {
    return "a: " + std::string(depth, '[') + std::string(depth, ']') + "\n";
  };
  EXPECT_OK(Read(nested(kYamlDepthMax)));
  EXPECT_FAULT(Fault::kUser, "f.yaml:1: nested too deeply", Read(nested(kYamlDepthMax + 1)));
  EXPECT_FAULT(Fault::kUser, "not valid YAML", Read(nested(100'000)));
  EXPECT_FAULT(Fault::kUser, "f.yaml: too long", Read("a: " + std::string(kYamlBytesMax, 'x')));
}

TEST(ReadYaml, RefusesWhatIsNoConfiguration) {
  EXPECT_FAULT(Fault::kUser, "f.yaml: is empty", Read(""));
  EXPECT_FAULT(Fault::kUser, "f.yaml: is empty", Read("# only a comment\n"));
  EXPECT_FAULT(Fault::kUser, "must hold keys with values", Read("[1, 2]\n"));
  EXPECT_FAULT(Fault::kUser, "must hold keys with values", Read("text\n"));
  EXPECT_FAULT(Fault::kUser, "f.yaml:2: not valid YAML: a second document",
               Read("a: 1\n---\nb: 2\n"));
  EXPECT_FAULT(Fault::kUser, "f.yaml:2: not valid YAML", Read("project: [\n"));
  EXPECT_FAULT(Fault::kUser, "f.yaml:1: not valid YAML", Read("]"));
  EXPECT_FAULT(Fault::kUser, "not valid YAML", Read("a: *nobody\n"));
  EXPECT_FAULT(Fault::kUser, "f.yaml:1: a key must be text", Read("? [a]\n: 1\n"));
  EXPECT_FAULT(Fault::kUser, "f.yaml:1: the value holds a NUL", Read("a: \"x\\0y\"\n"));
}

TEST(ReadYaml, NoTextBreaksIt) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kPieces[] = {"a",  ":",   " ",  "\n",  "- ", "[",     "]",    "{",
                                          "}",  "&x ", "*x", "!t ", "'",  "\"",    "|\n",  "<<",
                                          "? ", "#",   ",",  "%",   "\t", "---\n", "\xFF", "~"};
  for (int i = 0; i < 2'000; ++i) {
    std::string text;
    for (uint64_t n = random() % 25; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    const Result<ConfigNode> node = Read(text);
    if (!node.ok()) {
      ASSERT_EQ(FaultOf(node.status()), Fault::kUser) << text;
    }
  }
}

}  // namespace
}  // namespace banquet
