#include "banquet/encode/json_value.h"

#include <string>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using testing::ElementsAre;

TEST(ValidateJsonTest, TakesWhatPythonTakes) {
  for (const char* text :
       {"null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E3", "NaN", "-Infinity", "\"\"",
        "[]", "{}", " [ 1 , 2 ] ", "{\"a\": {\"b\": []}}", "\"\\u00e9\\n\\\"\\/\"",
        "\"\\ud83d\\ude95\"", "\"\\ud800\"", "123456789012345678901234567890"}) {
    EXPECT_EQ(ValidateJson(text).message(), "") << text;
  }
}

TEST(ValidateJsonTest, RefusesWhatPythonRefusesAndTellsWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "expected a value at byte 0"},
      {"nul", "expected a value at byte 0"},
      {"01", "expected the end of the text at byte 1"},
      {"-", "expected a value at byte 0"},
      {"1.", "expected the end of the text at byte 1"},
      {"1e", "expected the end of the text at byte 1"},
      {"1 2", "expected the end of the text at byte 2"},
      {"{oops", "expected a name in double quotes at byte 1"},
      {"{\"a\" 1}", "expected ':' at byte 5"},
      {"{\"a\": 1,}", "expected a name in double quotes at byte 8"},
      {"{\"a\": 1 2}", "expected ',' or '}' at byte 8"},
      {"[1,]", "expected a value at byte 3"},
      {"[1 2]", "expected ',' or ']' at byte 3"},
      {"\"abc", "expected a closing quote at byte 4"},
      {"\"a\tb\"", "expected an escape for the control character at byte 2"},
      {"\"\\x\"", "expected an escape at byte 2"},
      {"\"\\u12g4\"", "expected four hexadecimal digits at byte 5"},
      {"\"\\", "expected an escape at byte 2"},
  };
  for (const auto& [text, message] : cases) EXPECT_FAULT(Fault::kData, message, ValidateJson(text));
}

TEST(ValidateJsonTest, StopsAtTheDepthLimit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_OK(ValidateJson(nested(kJsonDepthMax)));
  EXPECT_FAULT(Fault::kData, "nested too deeply", ValidateJson(nested(kJsonDepthMax + 1)));
  EXPECT_FAULT(Fault::kData, "nested too deeply", ValidateJson(std::string(1'000'000, '[')));
}

TEST(ParseJsonTest, SortsKeysAndLetsTheLastOfEqualsWin) {
  ASSERT_OK_AND_ASSIGN(const JsonValue value,
                       ParseJson(R"({"b": 1, "a": "x\u00e9\ud83d\ude95", "b": 2.5})"));
  EXPECT_THAT(value.keys, ElementsAre("a", "b"));
  EXPECT_EQ(value.items[0].text, "xé🚕");
  EXPECT_EQ(value.items[1].kind, JsonValue::Kind::kReal);
  EXPECT_EQ(value.items[1].text, "2.5");
}

TEST(ParseJsonTest, RefusesLoneSurrogatesWhichAreNoUtf8) {
  EXPECT_FAULT(Fault::kData, "lone surrogate", ParseJson("\"\\ud800\""));
  EXPECT_FAULT(Fault::kData, "lone surrogate", ParseJson("\"\\ud800\\u0041\""));
}

TEST(AppendJsonTextTest, EscapesToAscii) {
  std::string out;
  AppendJsonText("a\"\\\b\f\n\r\t\x01\x7f/ż日🚕", &out);
  EXPECT_EQ(out, R"("a\"\\\b\f\n\r\t\u0001\u007f/\u017c\u65e5\ud83d\ude95")");
}

}  // namespace
}  // namespace banquet
