#include "banquet/base/option_table.h"

#include "banquet/base/option_text.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

constexpr OptionSpec kTable[] = {
    {.name = "path", .type = OptionType::kText, .default_value = "data/online.db"},
    {.name = "password", .type = OptionType::kSecret},
    {.name = "vector", .type = OptionType::kBool, .default_value = "false"},
    {.name = "port", .type = OptionType::kInt, .default_value = "6379"},
    {.name = "ttl", .type = OptionType::kInt},
    {.name = "ratio", .type = OptionType::kFloat, .default_value = "0.5"},
    {.name = "memory", .type = OptionType::kBytes, .default_value = "1MiB"},
    {.name = "timeout", .type = OptionType::kSeconds, .default_value = "10"},
    {.name = "mode",
     .type = OptionType::kChoice,
     .default_value = "newest",
     .choices = "newest|feast|always"},
    {.name = "names", .type = OptionType::kTextList},
    {.name = "tree", .type = OptionType::kNode},
};
constexpr std::string_view kIgnored[] = {"type"};

ConfigNode Scalar(const std::string& text, int line = 0, bool quoted = false) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.scalar = text;
  node.quoted = quoted;
  node.location = {.file = "feature_store.yaml", .line = line};
  return node;
}

ConfigNode List(std::vector<ConfigNode> items) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kList;
  node.items = std::move(items);
  node.location = {.file = "feature_store.yaml", .line = 9};
  return node;
}

ConfigNode Map(std::vector<ConfigEntry> entries) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kMap;
  node.entries = std::move(entries);
  node.location = {.file = "feature_store.yaml", .line = 10};
  return node;
}

Result<OptionValues> Parse(const ConfigNode& block) {
  return OptionValues::Parse(kTable, block, "online_store", kIgnored);
}

TEST(ConfigNode, FindsEntriesOfMapsOnly) {
  const ConfigNode map = Map({{"a", Scalar("1")}, {"b", Scalar("2")}});
  ASSERT_NE(map.Find("b"), nullptr);
  EXPECT_EQ(map.Find("b")->scalar, "2");
  EXPECT_EQ(map.Find("c"), nullptr);
  EXPECT_EQ(Scalar("a").Find("a"), nullptr);
}

TEST(ConfigLocation, NamesFileAndLine) {
  EXPECT_EQ((ConfigLocation{.file = "f.yaml", .line = 12}).ToString(), "f.yaml:12");
  EXPECT_EQ((ConfigLocation{.file = "f.yaml"}).ToString(), "f.yaml");
  EXPECT_EQ(ConfigLocation().ToString(), "");
}

TEST(OptionValues, AnAbsentBlockGivesTheDefaults) {
  ASSERT_OK_AND_ASSIGN(const OptionValues values, Parse({}));
  EXPECT_EQ(values.Text("path"), "data/online.db");
  EXPECT_EQ(values.Text("password"), std::nullopt);
  EXPECT_FALSE(values.Bool("vector"));
  EXPECT_EQ(values.Int("port"), 6379);
  EXPECT_EQ(values.Int("ttl"), std::nullopt);
  EXPECT_EQ(values.Float("ratio"), 0.5);
  EXPECT_EQ(values.Int("memory"), 1 << 20);
  EXPECT_EQ(values.Int("timeout"), 10'000);
  EXPECT_EQ(values.Text("mode"), "newest");
  EXPECT_TRUE(values.TextList("names").empty());
  EXPECT_EQ(values.Node("tree"), nullptr);
  EXPECT_FALSE(values.Has("path"));
}

TEST(OptionValues, WrittenValuesWinAndAreToldApart) {
  ASSERT_OK_AND_ASSIGN(const OptionValues values,
                       Parse(Map({{"type", Scalar("redis", 3)},
                                  {"path", Scalar("x.db", 4)},
                                  {"vector", Scalar("Yes", 5)},
                                  {"port", Scalar("7000", 6, true)},
                                  {"ratio", Scalar("2", 7)},
                                  {"memory", Scalar("2GiB", 8)},
                                  {"timeout", Scalar("2m", 9)},
                                  {"mode", Scalar("always", 10)},
                                  {"names", List({Scalar("a"), Scalar("b")})},
                                  {"tree", Map({{"k", Scalar("v")}})},
                                  {"ttl", ConfigNode()}})));
  EXPECT_EQ(values.Text("path"), "x.db");
  EXPECT_TRUE(values.Bool("vector"));
  EXPECT_EQ(values.Int("port"), 7000);
  EXPECT_EQ(values.Float("ratio"), 2);
  EXPECT_EQ(values.Int("memory"), int64_t{2} << 30);
  EXPECT_EQ(values.Int("timeout"), 120'000);
  EXPECT_EQ(values.Text("mode"), "always");
  EXPECT_EQ(values.TextList("names"), (std::vector<std::string>{"a", "b"}));
  ASSERT_NE(values.Node("tree"), nullptr);
  EXPECT_EQ(values.Node("tree")->Find("k")->scalar, "v");
  EXPECT_TRUE(values.Has("path"));
  EXPECT_FALSE(values.Has("ttl"));  // Null is the same as not written.
  EXPECT_EQ(values.Location("mode").line, 10);
}

TEST(OptionValues, UnknownKeysAreRefusedWithPlaceAndNearestWord) {
  EXPECT_FAULT(Fault::kUser,
               "feature_store.yaml:12: online_store.typ: unknown key. Did you mean 'type'?",
               Parse(Map({{"typ", Scalar("redis", 12)}})));
  EXPECT_FAULT(Fault::kUser,
               "feature_store.yaml:12: online_store.pasword: unknown key. Did you mean 'password'?",
               Parse(Map({{"pasword", Scalar("hunter2", 12)}})));
  EXPECT_FAULT(Fault::kUser,
               "online_store.zzzzzz: unknown key. The keys are: type, path, password,",
               Parse(Map({{"zzzzzz", Scalar("1", 12)}})));
}

TEST(OptionValues, WrongTypesAreRefusedWithPlaceAndValue) {
  const auto one = [](const std::string& key, ConfigNode node) {
    node.location = {.file = "f.yaml", .line = 2};
    return Parse(Map({{key, std::move(node)}}));
  };
  EXPECT_FAULT(Fault::kUser, "f.yaml:2: online_store.path: write text, not a list",
               one("path", List({})));
  EXPECT_FAULT(Fault::kUser, "write true or false, not 'maybe'", one("vector", Scalar("maybe")));
  EXPECT_FAULT(Fault::kUser, "write a whole number, not '1.5'", one("port", Scalar("1.5")));
  EXPECT_FAULT(Fault::kUser, "write a whole number, not a map", one("port", Map({})));
  EXPECT_FAULT(Fault::kUser, "write a number, not 'half'", one("ratio", Scalar("half")));
  EXPECT_FAULT(Fault::kUser, "write bytes such as 512MiB", one("memory", Scalar("-1")));
  EXPECT_FAULT(Fault::kUser, "write a time such as 10", one("timeout", Scalar("soon")));
  EXPECT_FAULT(
      Fault::kUser,
      "online_store.mode: write newest, feast or always, not 'newst'. Did you mean 'newest'?",
      one("mode", Scalar("newst")));
  EXPECT_FAULT(Fault::kUser, "write newest, feast or always, not a list.", one("mode", List({})));
  EXPECT_FAULT(Fault::kUser, "write a list of text, not a map", one("names", Map({})));
  EXPECT_FAULT(Fault::kUser, "each item of the list must be text, not a map",
               one("names", List({Map({})})));
  EXPECT_FAULT(Fault::kUser, "online_store: write keys with values, not 'redis'",
               Parse(Scalar("redis", 3)));
  EXPECT_FAULT(Fault::kUser, std::string(60, 'x') + "...'",
               one("port", Scalar(std::string(1'000, 'x'))));
}

TEST(OptionValues, SecretsAreNotShown) {
  const Result<OptionValues> values = Parse(Map({{"password", List({Scalar("hunter2")})}}));
  EXPECT_FAULT(Fault::kUser, "password: write one secret text", values);
  EXPECT_EQ(values.status().message().find("hunter2"), std::string::npos);
}

TEST(OptionValues, RequiredKeysMustBeWritten) {
  static constexpr OptionSpec kRequired[] = {
      {.name = "host", .meaning = "the server's name", .required = true}};
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml:10: store.host: required; add the server's name",
               OptionValues::Parse(kRequired, Map({}), "store"));
  EXPECT_FAULT(Fault::kUser, "store.host: required",
               OptionValues::Parse(kRequired, Map({{"host", ConfigNode()}}), "store"));
  EXPECT_OK(OptionValues::Parse(kRequired, Map({{"host", Scalar("h")}}), "store"));
}

TEST(OptionValues, AWrongDefaultIsABug) {
  static constexpr OptionSpec kWrong[] = {
      {.name = "n", .type = OptionType::kInt, .default_value = "x"}};
  EXPECT_FAULT(Fault::kBug, "The default of an option is wrong",
               OptionValues::Parse(kWrong, {}, "b"));
}

TEST(OptionValues, SetChecksAsTheFileDoes) {
  ASSERT_OK_AND_ASSIGN(OptionValues values, Parse(Map({{"port", Scalar("1", 5)}})));
  EXPECT_OK(values.Set("port", "2", "--port"));
  EXPECT_EQ(values.Int("port"), 2);
  EXPECT_TRUE(values.Has("port"));
  EXPECT_EQ(values.Location("port").ToString(), "--port");
  EXPECT_OK(values.Set("names", "a,b", "--names"));
  EXPECT_EQ(values.TextList("names"), (std::vector<std::string>{"a", "b"}));
  EXPECT_OK(values.Set("names", "a", "--names"));
  EXPECT_EQ(values.TextList("names"), (std::vector<std::string>{"a"}));
  EXPECT_FAULT(Fault::kUser, "--port: write a whole number, not ''",
               values.Set("port", "", "--port"));
  EXPECT_FAULT(Fault::kUser, "--prt: unknown option prt. Did you mean 'port'?",
               values.Set("prt", "1", "--prt"));
  EXPECT_EQ(values.Int("port"), 2);
}

TEST(OptionValuesDeathTest, AskingForANameOutsideTheTableIsABug) {
  ASSERT_OK_AND_ASSIGN(const OptionValues values, Parse({}));
  EXPECT_DEATH((void)values.Int("prot"), "its table lacks: prot");
}

TEST(NearestWord, TakesAThirdOfTheLettersForASlip) {
  const std::vector<std::string> words = {"type", "path", "connection_string", "key_ttl_seconds"};
  EXPECT_EQ(NearestWord("typ", words), "type");
  EXPECT_EQ(NearestWord("tpye", words), "type");
  EXPECT_EQ(NearestWord("Type", words), "type");
  EXPECT_EQ(NearestWord("conection_strng", words), "connection_string");
  EXPECT_EQ(NearestWord("ttl_seconds", words), std::nullopt);  // Four of eleven letters.
  EXPECT_EQ(NearestWord("ty", words), std::nullopt);
  EXPECT_EQ(NearestWord("", words), std::nullopt);
  EXPECT_EQ(NearestWord("x", std::vector<std::string>{"y"}), std::nullopt);
  EXPECT_EQ(NearestWord(std::string(5'000, 'x'), words), std::nullopt);
  EXPECT_EQ(DidYouMean("pathh", words), " Did you mean 'path'?");
  EXPECT_EQ(DidYouMean("else", words), "");
}

TEST(OptionText, ReadsBooleansOfYaml11) {
  EXPECT_EQ(ReadBool("on"), true);
  EXPECT_EQ(ReadBool("NO"), false);
  EXPECT_EQ(ReadBool("False"), false);
  for (const char* text : {"y", "n", "1", "0", "tRue", ""})
    EXPECT_EQ(ReadBool(text), std::nullopt) << text;
}

TEST(OptionText, ReadsIntegersOfYaml11) {
  EXPECT_EQ(ReadInt("0"), 0);
  EXPECT_EQ(ReadInt("-42"), -42);
  EXPECT_EQ(ReadInt("+1_000"), 1000);
  EXPECT_EQ(ReadInt("0x1F"), 31);
  EXPECT_EQ(ReadInt("0b101"), 5);
  EXPECT_EQ(ReadInt("010"), 8);
  EXPECT_EQ(ReadInt("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ReadInt("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  for (const char* text : {"", "-", "1.0", "9223372036854775808", "08", "0x", "ten", "1 ", "--1"}) {
    EXPECT_EQ(ReadInt(text), std::nullopt) << text;
  }
}

TEST(OptionText, ReadsFloats) {
  EXPECT_EQ(ReadFloat("-1.5e3"), -1500);
  EXPECT_EQ(ReadFloat(".5"), 0.5);
  EXPECT_EQ(ReadFloat("-.inf"), -std::numeric_limits<double>::infinity());
  for (const char* text : {"", "nan", ".nan", "inf", "1.5x", "+-1"})
    EXPECT_EQ(ReadFloat(text), std::nullopt) << text;
}

TEST(OptionText, ReadsBytesWithUnits) {
  EXPECT_EQ(ReadBytes("1000000"), 1'000'000);
  EXPECT_EQ(ReadBytes("512MiB"), 512 << 20);
  EXPECT_EQ(ReadBytes("1.5 GiB"), 3 * (int64_t{1} << 29));
  EXPECT_EQ(ReadBytes("2kB"), 2'000);
  for (const char* text :
       {"", "MiB", "1M", "-1", "1.", ".5", "1.2.3", "99999999TiB", "99999999.5TiB", "1 MiBs"}) {
    EXPECT_EQ(ReadBytes(text), std::nullopt) << text;
  }
}

TEST(OptionText, ReadsTimesWithUnits) {
  EXPECT_EQ(ReadMilliseconds("10"), 10'000);
  EXPECT_EQ(ReadMilliseconds("0.5"), 500);
  EXPECT_EQ(ReadMilliseconds("250ms"), 250);
  EXPECT_EQ(ReadMilliseconds("10s"), 10'000);
  EXPECT_EQ(ReadMilliseconds("2m"), 120'000);
  EXPECT_EQ(ReadMilliseconds("1h"), 3'600'000);
  EXPECT_EQ(ReadMilliseconds("1d"), 86'400'000);
  for (const char* text : {"", "-1", "1m30s", "ten", "9999999999999999999"}) {
    EXPECT_EQ(ReadMilliseconds(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace banquet
