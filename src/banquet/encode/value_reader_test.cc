#include "banquet/encode/value_reader.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Tag, length and content; all of them short.
std::string Field(uint32_t field, const std::string& content) {
  std::string bytes;
  const auto varint = [&](uint32_t value) {
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
  };
  varint(field << 3 | 2);
  varint(static_cast<uint32_t>(content.size()));
  return bytes + content;
}

struct Vector {
  const char* hex;
  const char* json;
};

void ExpectJson(std::span<const Vector> vectors) {
  for (const auto& [hex, json] : vectors) {
    const Result<std::string> text = ValueToJson(FromHex(hex));
    ASSERT_OK(text);
    EXPECT_EQ(*text, json) << hex;
    EXPECT_TRUE(nlohmann::json::accept(*text)) << *text;
  }
}

// Bytes that Feast 0.67 stored; the JSON is its response without the wrapping oneof names, floats
// widened.
TEST(ValueToJson, ReadsScalarsThatFeastStored) {
  const Vector vectors[] = {
      {"", "null"},
      {"1200", R"("")"},
      {"1208c5bcc3b3c582c487", "\"\u017c\u00f3\u0142\u0107\""},
      {"0a00", R"("")"},
      {"0a0161", R"("YQ==")"},
      {"0a02fffe", R"("//4=")"},
      {"0a0489504e47", R"("iVBORw==")"},
      {"0a03616263", R"("YWJj")"},
      {"4000", "0"},
      {"40ffffffffffffffffff01", "-1"},
      {"4080808080808080808001", "-9223372036854775808"},
      {"409ed0d08306", "1618225182"},
      {"3500000080", "-0.0"},
      {"35cdcccc3d", "0.10000000149011612"},
      {"35ffff7f7f", "3.4028234663852886e+38"},
      {"299a9999999999b93f", "0.1"},
      {"29ffffffffffffef7f", "1.7976931348623157e+308"},
      {"202a", "42"},
      {"2080808080808080808001", "-9223372036854775808"},
      {"18ffffffffffffffffff01", "-1"},
      {"1880808080f8ffffffff01", "-2147483648"},
      {"3801", "true"},
      {"3800", "false"},
      {"8202087b2261223a20317d", R"("{\"a\": 1}")"},
      {"a2022430663866616435622d643963622d343639662d613136352d373038363737323839353065",
       R"("0f8fad5b-d9cb-469f-a165-70867728950e")"},
      {"aa022430303030303030302d303030302d303030302d303030302d303030303030303030303030",
       R"("00000000-0000-0000-0000-000000000000")"},
      {"e20206312e35303030", R"("1.5000")"},
      {"e2020431452b33", R"("1E+3")"},
      {"980100", "null"},
  };
  ExpectJson(vectors);
}

TEST(ValueToJson, ReadsListsAndSetsThatFeastStored) {
  const Vector vectors[] = {
      {"6a1c0a1a01ffffffffffffffffff01ffffffff0780808080f8ffffffff01",
       "[1, -1, 2147483647, -2147483648]"},
      {"6a00", "[]"},
      {"62090a01610a000a02c5bc", "[\"a\", \"\", \"\u017c\"]"},
      {"9201090a07009ed0d0830600", "[0, 1618225182, 0]"},
      {"72200a1e01ffffffffffffffffff01ffffffffffffffff7f80808080808080808001",
       "[1, -1, 9223372036854775807, -9223372036854775808]"},
      {"82010e0a0ccdcccc3d0000807f00000080", R"([0.10000000149011612, "Infinity", -0.0])"},
      {"7a1a0a189a9999999999b93f000000000000f0ff0100000000000000", R"([0.1, "-Infinity", 5e-324])"},
      {"7a120a10000000000000f87f000000000000f03f", R"(["NaN", 1.0])"},
      {"5a050a01610a00", R"(["YQ==", ""])"},
      {"8a01050a03010001", "[true, false, true]"},
      {"b201050a000a0161", R"(["", "YQ=="])"},
      {"ba01090a000a01610a02c5bc", "[\"\", \"a\", \"\u017c\"]"},
      {"c201030a0100", "[0]"},
      {"ca01030a0100", "[0]"},
      {"da010e0a0ccdcccc3d000000800000807f", R"([0.10000000149011612, -0.0, "Infinity"])"},
      {"e201040a020001", "[false, true]"},
      {"ea01120a109ed0d0830600ffffffffffffffffff01", "[1618225182, 0, -1]"},
      {"8a020f0a087b2261223a20317d0a035b315d", R"(["{\"a\": 1}", "[1]"])"},
      {"ea02100a06312e353030300a06322e30303030", R"(["1.5000", "2.0000"])"},
      {"f202080a06302e30303030", R"(["0.0000"])"},
      {"c20200", "[]"},
      {"ca0200", "[]"},
      {"ba0200", "[]"},
      {"d202110a0862060a01610a01610a0562030a0162", R"([["a", "a"], ["b"]])"},
      {"d202020a00", "[null]"},
      {"d20200", "[]"},
      {"da02100a0672040a0201020a0672040a020102", "[[1, 2], [1, 2]]"},
  };
  ExpectJson(vectors);
}

TEST(ValueToJson, ReadsMapsThatFeastStored) {
  const Vector vectors[] = {
      {"a201130a070a0161120220010a080a01621203120178", R"({"a": 1, "b": "x"})"},
      {"a201200a050a016e12000a0e0a0164120929000000000000f83f0a070a017412023801",
       R"({"d": 1.5, "n": null, "t": true})"},
      {"a201210a0b0a016c120672040a0201020a120a016d120da2010a0a080a0171120312017a",
       R"({"l": [1, 2], "m": {"q": "z"}})"},
      {"a20100", "{}"},
      {"92021a0a0e0a0161120929000000000000f03f0a080a01621203120178", R"({"a": 1.0, "b": "x"})"},
      {"aa01170a090a070a0161120220010a0a0a080a01621203120178", R"([{"a": 1}, {"b": "x"}])"},
      {"aa0100", "[]"},
      {"9a02160a090a070a0161120220010a090a070a016112022002", R"([{"a": 1}, {"a": 2}])"},
  };
  ExpectJson(vectors);
}

TEST(ValueToJson, WritesTheKeysOfAScalarMapAsText) {
  const std::string one = FromHex("2001");
  const auto entry = [&](const std::string& key) {
    return Field(1, Field(1, key) + Field(2, one));
  };
  const std::string map = Field(
      47, entry(FromHex("08ffffffffffffffffff01")) + entry(FromHex("1007")) +
              entry(FromHex("1d0000c03f")) + entry(FromHex("210000000000000440")) +
              entry(FromHex("2801")) + entry(FromHex("309ed0d08306")) + entry(FromHex("3a0161")) +
              entry(FromHex("420175")) + entry(FromHex("4a0174")) + entry(FromHex("5203312e35")));
  ASSERT_OK_AND_ASSIGN(const std::string json, ValueToJson(map));
  EXPECT_EQ(nlohmann::json::parse(json),
            nlohmann::json::parse(R"({"-1": 1, "7": 1, "1.5": 1, "2.5": 1, "true": 1,
                "1618225182": 1, "YQ==": 1, "u": 1, "t": 1})"))
      << json;
}

TEST(ValueToJson, WritesAZonedTimestampAsAnObject) {
  ASSERT_OK_AND_ASSIGN(const std::string json,
                       ValueToJson(Field(48, FromHex("089ed0d08306") + Field(2, "Europe/Warsaw"))));
  EXPECT_EQ(json, R"({"unix_timestamp": 1618225182, "zone": "Europe/Warsaw"})");
  ASSERT_OK_AND_ASSIGN(const std::string epoch, ValueToJson(Field(48, "")));
  EXPECT_EQ(epoch, R"({"unix_timestamp": 0, "zone": ""})");
}

TEST(ValueToJson, SortsMapKeysAndKeepsTheLastOfEqualOnes) {
  const auto entry = [](const std::string& key, const char* value) {
    return Field(1, Field(1, key) + Field(2, FromHex(value)));
  };
  ASSERT_OK_AND_ASSIGN(
      const std::string json,
      ValueToJson(Field(20, entry("b", "2001") + entry("a", "2002") + entry("b", "2003"))));
  EXPECT_EQ(json, R"({"a": 2, "b": 3})");
}

TEST(ValueToJson, TakesAMapEntryWithoutKeyOrValue) {
  ASSERT_OK_AND_ASSIGN(const std::string json, ValueToJson(Field(20, Field(1, ""))));
  EXPECT_EQ(json, R"({"": null})");
}

TEST(ValueToJson, TakesNumbersThatAreNotPacked) {
  ASSERT_OK_AND_ASSIGN(const std::string json, ValueToJson(Field(14, FromHex("0801080a"))));
  EXPECT_EQ(json, "[1, 10]");
}

TEST(ValueToJson, EscapesText) {
  ASSERT_OK_AND_ASSIGN(const std::string json, ValueToJson(Field(2, std::string("\"\\\n\0", 4))));
  EXPECT_EQ(json, R"("\"\\\n\u0000")");
}

TEST(ValueToJson, RefusesDamagedBytes) {
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {FromHex("20"), "a number is cut off"},
      {FromHex("20ff"), "a number is cut off"},
      {FromHex("20ffffffffffffffffff02"), "more than 64 bits"},
      {FromHex("20ffffffffffffffffffff01"), "more than 64 bits"},
      {FromHex("290000"), "a number is cut off"},
      {FromHex("3500"), "a number is cut off"},
      {FromHex("120361"), "a text or message is cut off"},
      {FromHex("12ffffffffffffffffff01"), "a text or message is cut off"},
      {FromHex("0201"), "field number is out of range"},
      {FromHex("f8ffffffff0f01"), "field number is out of range"},
      {FromHex("2301"), "unknown wire type"},
      {FromHex("220101"), "wire type of another"},
      {FromHex("1001"), "wire type of another"},
      {FromHex("7001"), "wire type of another"},
      {FromHex("48"), "field 9"},
      {FromHex("880301"), "field 49"},
      {FromHex("9a0100"), "field 19"},
      {FromHex("20012002"), "bytes behind the value"},
      {Field(2, "\xff"), "not UTF-8"},
      {Field(12, Field(2, "a")), "a list has an unknown field"},
      {Field(14, FromHex("0a01ff")), "a number is cut off"},
      {Field(14, FromHex("0d00000000")), "wire type of another"},
      {Field(15, FromHex("0a03000000")), "a number is cut off"},
      {Field(20, Field(2, "")), "a map has an unknown field"},
      {Field(20, FromHex("0801")), "a map has an unknown field"},
      {Field(20, Field(1, Field(3, ""))), "a map's entry has an unknown field"},
      {Field(20, Field(1, FromHex("0801"))), "a map's entry has an unknown field"},
      {Field(20, Field(1, Field(1, "\xc0"))), "not UTF-8"},
      {Field(47, Field(1, Field(2, ""))), "no key"},
      {Field(47, Field(1, Field(1, FromHex("5801")))), "a map's key has an unknown field"},
      {Field(47, Field(1, Field(1, FromHex("0d00000000")))), "wire type of another"},
      {Field(47, Field(1, Field(1, FromHex("08011002")))), "a map's key has left-over bytes"},
      {Field(48, FromHex("1801")), "a zoned timestamp has an unknown field"},
      {Field(48, Field(2, "\xff")), "not UTF-8"},
  };
  for (const auto& [bytes, message] : cases) {
    SCOPED_TRACE(message);
    EXPECT_FAULT(Fault::kData, message, ValueToJson(bytes));
  }
}

TEST(ValueToJson, StopsWhereValuesLieTooDeep) {
  std::string value = FromHex("2001");
  std::string json = "1";
  for (int depth = 0; depth < 100; ++depth) {
    value = Field(42, Field(1, value));
    json = "[" + json + "]";
  }
  ASSERT_OK_AND_ASSIGN(const std::string deepest, ValueToJson(value));
  EXPECT_EQ(deepest, json);
  EXPECT_FAULT(Fault::kData, "too deep", ValueToJson(Field(42, Field(1, value))));
  EXPECT_FAULT(Fault::kData, "too deep", ValueToJson(Field(20, Field(1, Field(2, value)))));
}

// Random bytes, and stored values with a byte changed or cut: an answer that is JSON, or a data
// error.
TEST(ValueToJson, SurvivesRandomBytes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const std::string stored[] = {
      FromHex("a201210a0b0a016c120672040a0201020a120a016d120da2010a0a080a0171120312017a"),
      FromHex("9a02160a090a070a0161120220010a090a070a016112022002"),
      FromHex("d202110a0862060a01610a01610a0562030a0162"),
      Field(47, Field(1, Field(1, FromHex("1007")) + Field(2, FromHex("2001")))),
      Field(48, FromHex("089ed0d08306") + Field(2, "UTC")),
  };
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes;
    if (i % 2 == 0) {
      bytes.resize(random() % 40);
      for (char& c : bytes) c = static_cast<char>(random());
    } else {
      bytes = stored[random() % std::size(stored)];
      bytes[random() % bytes.size()] = static_cast<char>(random());
      if (i % 3 == 0) bytes.resize(random() % bytes.size());
    }
    const Result<std::string> json = ValueToJson(bytes);
    if (json.ok()) {
      ASSERT_TRUE(nlohmann::json::accept(*json)) << *json;
    } else {
      ASSERT_EQ(FaultOf(json.status()), Fault::kData) << json.status().ToString();
    }
  }
}

}  // namespace
}  // namespace banquet
