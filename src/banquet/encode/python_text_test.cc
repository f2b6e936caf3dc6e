#include "banquet/encode/python_text.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::string FloatText(double value) {
  std::string text;
  AppendPythonFloat(value, &text);
  return text;
}

// Made with CPython 3.11's str().
TEST(AppendPythonFloat, WritesWhatPythonWrites) {
  const struct {
    double value;
    const char* text;
  } cases[] = {
      {0x0.0p+0, "0.0"},
      {-0x0.0p+0, "-0.0"},
      {0x1.0000000000000p+0, "1.0"},
      {-0x1.0000000000000p+0, "-1.0"},
      {0x1.999999999999ap-4, "0.1"},
      {0x1.1c37937e08000p+53, "1e+16"},
      {0x1.1c37937e07fffp+53, "9999999999999998.0"},
      {0x1.c6bf526340000p+49, "1000000000000000.0"},
      {0x1.b69b4ba630f35p+56, "1.2345678901234568e+17"},
      {0x1.a36e2eb1c432dp-14, "0.0001"},
      {0x1.02e4b6ce5dc68p-13, "0.00012345"},
      {0x1.4f8b588e368f1p-17, "1e-05"},
      {0x1.f75104d551d69p-17, "1.5e-05"},
      {0x1.0f0cf064dd592p+73, "1e+22"},
      {0x1.249ad2594c37dp+332, "1e+100"},
      {0x1.bff2ee48e0530p-333, "1e-100"},
      {0x0.0000000000001p-1022, "5e-324"},
      {0x1.fffffffffffffp+1023, "1.7976931348623157e+308"},
      {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
      {0x1.921fb54442d18p+1, "3.141592653589793"},
      {0x1.9000000000000p+6, "100.0"},
      {0x1.2d68700000000p+20, "1234567.0"},
      {0x1.0000000000000p+53, "9007199254740992.0"},
      {0x1.99999a0000000p-4, "0.10000000149011612"},
      {0x1.fffffe0000000p+127, "3.4028234663852886e+38"},
      {std::nan(""), "nan"},
      {kInf, "inf"},
      {-kInf, "-inf"},
      {-0x1.ad7f29abcaf48p-24, "-1e-07"},
      {0x1.0000000000000p-1, "0.5"},
      {0x1.b1ae4d6e2ef50p+69, "1e+21"},
      {0x1.5ee2a2eb5a5c4p+53, "1.2345678901234568e+16"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(FloatText(value), text);
}

TEST(AppendPythonFloat, WidensAFloat32BeforeItWrites) {
  EXPECT_EQ(FloatText(0.1F), "0.10000000149011612");
}

TEST(AppendPythonFloat, KeepsWhatIsInTheBuffer) {
  std::string text = "x=";
  AppendPythonFloat(2.5, &text);
  EXPECT_EQ(text, "x=2.5");
}

// Any bits: the text reads back as the same double, has no shorter neighbour, and looks like
// Python's.
TEST(AppendPythonFloat, ReadsBackAsTheSameDouble) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    double value = std::bit_cast<double>(random());
    if (i % 2 == 0)
      value = std::ldexp(static_cast<double>(random() % 2'000'000) / 1000,
                         static_cast<int>(random() % 60) - 20);
    if (!std::isfinite(value)) continue;
    const std::string text = FloatText(value);
    ASSERT_EQ(std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)),
              std::bit_cast<uint64_t>(value))
        << text;
    const size_t e = text.find('e');
    ASSERT_TRUE(e != std::string::npos || text.find('.') != std::string::npos) << text;
    const double size = std::fabs(value);
    ASSERT_EQ(e != std::string::npos, size != 0 && (size < 1e-4 || size >= 1e16)) << text;
    if (e != std::string::npos) {
      ASSERT_GE(text.size() - e, 4U) << text;  // e-05, not e-5.
    }
  }
}

TEST(AppendPythonInt, WritesTheLimitsOfEveryWidth) {
  std::string text;
  const auto add = [&](auto value) {
    AppendPythonInt(value, &text);
    text += ' ';
  };
  add(int8_t{-128});
  add(uint8_t{255});
  add(int16_t{-32768});
  add(std::numeric_limits<int32_t>::min());
  add(std::numeric_limits<uint32_t>::max());
  add(std::numeric_limits<int64_t>::min());
  add(std::numeric_limits<int64_t>::max());
  add(std::numeric_limits<uint64_t>::max());
  add(0);
  EXPECT_EQ(text,
            "-128 255 -32768 -2147483648 4294967295 -9223372036854775808 9223372036854775807 "
            "18446744073709551615 0 ");
}

TEST(AppendPythonBool, WritesPythonsWords) {
  std::string text;
  AppendPythonBool(true, &text);
  AppendPythonBool(false, &text);
  EXPECT_EQ(text, "TrueFalse");
}

// Made with CPython 3.11's str().
TEST(AppendPythonBytes, QuotesAndEscapesAsPythonDoes) {
  const struct {
    std::string bytes;
    const char* text;
  } cases[] = {
      {"", R"(b'')"},
      {"abc", R"(b'abc')"},
      {"it's", R"(b"it's")"},
      {"a\"b", R"(b'a"b')"},
      {"'\"", R"(b'\'"')"},
      {"\\\t\n\r", R"(b'\\\t\n\r')"},
      {std::string("\0\x7f\xff~ ", 5), R"(b'\x00\x7f\xff~ ')"},
  };
  for (const auto& [bytes, expected] : cases) {
    std::string text;
    AppendPythonBytes(bytes, &text);
    EXPECT_EQ(text, expected);
  }
}

}  // namespace
}  // namespace banquet
