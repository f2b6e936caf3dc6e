#include "banquet/base/base64.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(DecodeBase64, ReadsTheStandardAlphabet) {
  EXPECT_EQ(DecodeBase64(""), "");
  EXPECT_EQ(DecodeBase64("Zg=="), "f");
  EXPECT_EQ(DecodeBase64("Zm8="), "fo");
  EXPECT_EQ(DecodeBase64("Zm9v\n"), "foo");
  EXPECT_EQ(DecodeBase64("Zm8"), "fo");
  EXPECT_EQ(DecodeBase64("+/8A"), std::string("\xFB\xFF\0", 3));
  for (const char* text : {"Z", "Zg=x", "Zg=", "Z===", "Zm9v====", "-_-_", "Zm9v!"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

TEST(AppendBase64, WritesWhatIsReadBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    std::string text = ">";
    AppendBase64(bytes, &text);
    EXPECT_EQ(text.size() % 4, 1U);
    EXPECT_EQ(DecodeBase64(text.substr(1)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
  std::string text;
  AppendBase64("f", &text);
  AppendBase64("fo", &text);
  AppendBase64(std::string("\xFB\xFF\0", 3), &text);
  EXPECT_EQ(text, "Zg==Zm8=+/8A");
}

}  // namespace
}  // namespace banquet
