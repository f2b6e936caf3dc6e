// The table of feast-compat section 4.7, row by row. Bytes in the expectations are what Feast 0.67
// wrote, where it is right; tests named Mends… show what it gets wrong.

#include "banquet/encode/field_encoder.h"

#include <string>
#include <vector>

#include "arrow/array.h"
#include "arrow/array/builder_binary.h"
#include "arrow/compute/api_vector.h"
#include "arrow/datum.h"
#include "arrow/extension/uuid.h"
#include "arrow/json/from_string.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

using arrow::TimeUnit;
using testing::ElementsAre;
using TypePtr = std::shared_ptr<arrow::DataType>;
using ArrayPtr = std::shared_ptr<arrow::Array>;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

ArrayPtr Column(const TypePtr& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Result<EncodedFeature> Encode(const Field& feature, const ArrayPtr& column,
                              EncodeNeeds needs = {}) {
  BANQUET_ASSIGN_OR_RETURN(auto encoder, FieldEncoder::Make(feature, column->type(), needs));
  EncodedFeature encoded;
  int64_t failed_row = -1;
  BANQUET_RETURN_NOT_OK(encoder->Append(column, &encoded, &failed_row));
  return encoded;
}

Result<EncodedFeature> Encode(ValueType type, const ArrayPtr& column, EncodeNeeds needs = {}) {
  return Encode(Field{.name = "f", .type = type, .tags = {}, .description = {}}, column, needs);
}

Result<EncodedFeature> Encode(ValueType type, const TypePtr& arrow_type, const std::string& json) {
  return Encode(type, Column(arrow_type, json));
}

std::vector<std::string> HexOf(const Result<EncodedFeature>& encoded) {
  if (!encoded.ok()) return {encoded.status().ToString()};
  std::vector<std::string> values;
  for (size_t i = 0; i < encoded->values.size(); ++i) values.push_back(Hex(encoded->values[i]));
  return values;
}

std::vector<std::string> HexOf(ValueType type, const TypePtr& arrow_type, const std::string& json) {
  return HexOf(Encode(type, arrow_type, json));
}

// The text of STRING values; "null" for unset.
std::vector<std::string> TextOf(const TypePtr& arrow_type, const std::string& json) {
  const auto encoded =
      Encode(ValueType::kString, Column(arrow_type, json), {.value_text = true, .value_num = true});
  if (!encoded.ok()) return {encoded.status().ToString()};
  std::vector<std::string> texts;
  for (size_t i = 0; i < encoded->text.size(); ++i)
    texts.push_back(encoded->text_valid[i] ? std::string(encoded->text[i]) : "null");
  return texts;
}

TypePtr Us() { return arrow::timestamp(TimeUnit::MICRO, "UTC"); }

TEST(ScalarFieldTest, WritesIntegersAsFeastDoes) {
  EXPECT_THAT(HexOf(ValueType::kInt32, arrow::int32(), "[0, 1, -1, 127, 128]"),
              ElementsAre("1800", "1801", "18ffffffffffffffffff01", "187f", "188001"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::int64(),
                    "[42, -6, -9223372036854775808, 9223372036854775807]"),
              ElementsAre("202a", "20faffffffffffffffff01", "2080808080808080808001",
                          "20ffffffffffffffff7f"));
}

TEST(ScalarFieldTest, TakesNarrowerIntegersAndBool) {
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::int8(), "[-128]"),
              ElementsAre("2080ffffffffffffffff01"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::int16(), "[32767]"), ElementsAre("20ffff01"));
  EXPECT_THAT(HexOf(ValueType::kInt32, arrow::uint16(), "[65535]"), ElementsAre("18ffff03"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::uint32(), "[4294967295]"),
              ElementsAre("20ffffffff0f"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::uint64(), "[1]"), ElementsAre("2001"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::boolean(), "[true, false]"),
              ElementsAre("2001", "2000"));
}

TEST(ScalarFieldTest, MendsIntegersBesideNulls) {
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::int64(), "[9007199254740993, null]"),
              ElementsAre("208180808080808010", ""));
  EXPECT_THAT(TextOf(arrow::int64(), "[1, null]"), ElementsAre("1", "null"));
}

TEST(ScalarFieldTest, CutsFloatsAndDecimalsToIntegers) {
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::float64(), "[1.9, -1.9, NaN]"),
              ElementsAre("2001", "20ffffffffffffffffff01", ""));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::decimal128(20, 2), R"(["-1.99", "0.50"])"),
              ElementsAre("20ffffffffffffffffff01", "2000"));
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::decimal128(20, 10), R"(["0.0000000001"])"),
              ElementsAre("2000"));
}

TEST(ScalarFieldTest, ParsesIntegersInTextAsPythonDoes) {
  EXPECT_THAT(HexOf(ValueType::kInt64, arrow::utf8(), R"(["12", " 7 ", "+1_000", "-3"])"),
              ElementsAre("200c", "2007", "20e807", "20fdffffffffffffffff01"));
  for (const char* text : {"x", "", "1.5", "1__0", "_1", "+-1", "0x10"}) {
    EXPECT_FAULT(Fault::kData, "no integer",
                 Encode(ValueType::kInt64, arrow::utf8(), fmt::format("[\"{}\"]", text)));
  }
}

TEST(ScalarFieldTest, RefusesIntegersThatDoNotFit) {
  EXPECT_FAULT(Fault::kData, "Value is out of range: 2147483648",
               Encode(ValueType::kInt32, arrow::int64(), "[2147483648]"));
  EXPECT_FAULT(Fault::kData, "out of range: 9223372036854775808",
               Encode(ValueType::kInt64, arrow::uint64(), "[9223372036854775808]"));
  EXPECT_FAULT(Fault::kData, "not finite: inf",
               Encode(ValueType::kInt64, arrow::float64(), "[Inf]"));
  EXPECT_FAULT(Fault::kData, "out of range: 1e+300",
               Encode(ValueType::kInt64, arrow::float64(), "[1e300]"));
  EXPECT_FAULT(Fault::kData, "out of range: '9223372036854775808'",
               Encode(ValueType::kInt64, arrow::utf8(), R"(["9223372036854775808"])"));
}

TEST(ScalarFieldTest, TellsTheRowThatFails) {
  const ArrayPtr column = Column(arrow::int64(), "[1, null, 2147483648]");
  ASSERT_OK_AND_ASSIGN(
      const auto encoder,
      FieldEncoder::Make({.name = "f", .type = ValueType::kInt32, .tags = {}, .description = {}},
                         column->type(), {}));
  EncodedFeature encoded;
  int64_t failed_row = -1;
  EXPECT_FAULT(Fault::kData, "2147483648", encoder->Append(column, &encoded, &failed_row));
  EXPECT_EQ(failed_row, 2);
}

TEST(ScalarFieldTest, WritesFloatsAndTakesNanForNull) {
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::float64(), "[1.5, null, NaN, -0.0]"),
              ElementsAre("29000000000000f83f", "", "", "290000000000000080"));
  EXPECT_THAT(HexOf(ValueType::kFloat, arrow::float32(), "[2.5, null, NaN, Inf]"),
              ElementsAre("3500002040", "", "", "350000807f"));
  EXPECT_THAT(HexOf(ValueType::kFloat, arrow::float64(), "[1e300, 0.1]"),
              ElementsAre("350000807f", "35cdcccc3d"));
}

TEST(ScalarFieldTest, TakesOtherNumbersForFloats) {
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::float32(), "[0.1]"),
              ElementsAre("29000000a09999b93f"));
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::int32(), "[1]"), ElementsAre("29000000000000f03f"));
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::decimal128(20, 4), R"(["1.5000"])"),
              ElementsAre("29000000000000f83f"));
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::decimal256(40, 4), R"(["1.5000"])"),
              ElementsAre("29000000000000f83f"));
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::boolean(), "[true]"),
              ElementsAre("29000000000000f03f"));
  EXPECT_THAT(HexOf(ValueType::kFloat, arrow::int64(), "[1, 16777217]"),
              ElementsAre("350000803f", "350000804b"));
  EXPECT_THAT(HexOf(ValueType::kFloat, arrow::float16(), "[1.5]"), ElementsAre("350000c03f"));
  EXPECT_THAT(HexOf(ValueType::kDouble, arrow::uint64(), "[18446744073709551615]"),
              ElementsAre("29000000000000f043"));
  EXPECT_THAT(
      HexOf(ValueType::kDouble, arrow::utf8(), R"([" +1.5 ", "1e999", "nan", "-Infinity"])"),
      ElementsAre("29000000000000f83f", "29000000000000f07f", "", "29000000000000f0ff"));
  EXPECT_FAULT(Fault::kData, "no number: 'nan(1)'",
               Encode(ValueType::kDouble, arrow::utf8(), R"x(["nan(1)"])x"));
}

TEST(ScalarFieldTest, WritesBoolFromBoolAndIntegersOnly) {
  EXPECT_THAT(HexOf(ValueType::kBool, arrow::boolean(), "[true, false, null]"),
              ElementsAre("3801", "3800", ""));
  EXPECT_THAT(HexOf(ValueType::kBool, arrow::int64(), "[0, 1, 2]"),
              ElementsAre("3800", "3801", "3801"));
  EXPECT_THAT(HexOf(ValueType::kBool, arrow::uint64(), "[0, 18446744073709551615]"),
              ElementsAre("3800", "3801"));
  EXPECT_FAULT(Fault::kData, "Arrow type double cannot become BOOL, which takes bool or integers",
               Encode(ValueType::kBool, arrow::float64(), "[]"));
}

TEST(ScalarFieldTest, KeepsEmptyBytesBesideNulls) {
  EXPECT_THAT(HexOf(ValueType::kBytes, arrow::binary(), R"(["", null])"), ElementsAre("0a00", ""));
  EXPECT_THAT(HexOf(ValueType::kBytes, arrow::large_binary(), R"(["q"])"), ElementsAre("0a0171"));
  EXPECT_THAT(HexOf(ValueType::kImageBytes, arrow::fixed_size_binary(2), R"(["ab"])"),
              ElementsAre("0a026162"));
  EXPECT_THAT(HexOf(ValueType::kPdfBytes, arrow::binary(), R"(["a"])"), ElementsAre("0a0161"));
  EXPECT_FAULT(Fault::kData, "cannot become BYTES, which takes binary",
               Encode(ValueType::kBytes, arrow::utf8(), "[]"));
}

TEST(ScalarFieldTest, FloorsTimesToSeconds) {
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, Us(), "[1618225182123456, -1, 0]"),
              ElementsAre("409ed0d08306", "40ffffffffffffffffff01", "4000"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::timestamp(TimeUnit::SECOND), "[1618225182]"),
              ElementsAre("409ed0d08306"));
  EXPECT_THAT(
      HexOf(ValueType::kUnixTimestamp, arrow::timestamp(TimeUnit::MILLI), "[1618225182999]"),
      ElementsAre("409ed0d08306"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::timestamp(TimeUnit::NANO),
                    "[1618225182123456999, -1]"),
              ElementsAre("409ed0d08306", "40ffffffffffffffffff01"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::date32(), "[18729]"),
              ElementsAre("40809bce8306"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::date64(), "[1618185600000]"),
              ElementsAre("40809bce8306"));
}

TEST(ScalarFieldTest, WritesANullTimeAsFeastsSentinelInColumnsOfTimesAndNumbers) {
  const std::string sentinel = "4080808080808080808001";
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, Us(), "[null]"), ElementsAre(sentinel));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::date32(), "[null]"), ElementsAre(sentinel));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::int64(), "[1618225182, null]"),
              ElementsAre("409ed0d08306", sentinel));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestamp, arrow::float64(), "[1618225182.5, NaN, -0.5]"),
              ElementsAre("409ed0d08306", "", "40ffffffffffffffffff01"));
  EXPECT_THAT(HexOf(ValueType::kInt64, Us(), "[1618225182123456, null]"),
              ElementsAre("209ed0d08306", ""));
}

TEST(ScalarFieldTest, PrintsAnythingAsPythonDoes) {
  EXPECT_THAT(HexOf(ValueType::kString, arrow::utf8(), R"(["", null, "hi"])"),
              ElementsAre("1200", "", "12026869"));
  EXPECT_THAT(TextOf(arrow::large_utf8(), R"(["ż"])"), ElementsAre("ż"));
  EXPECT_THAT(TextOf(arrow::int64(), "[1, -2]"), ElementsAre("1", "-2"));
  EXPECT_THAT(TextOf(arrow::uint64(), "[18446744073709551615]"),
              ElementsAre("18446744073709551615"));
  EXPECT_THAT(TextOf(arrow::boolean(), "[true, false]"), ElementsAre("True", "False"));
  EXPECT_THAT(TextOf(arrow::float64(), "[1.0, 1e16, NaN, 0.1]"),
              ElementsAre("1.0", "1e+16", "null", "0.1"));
  EXPECT_THAT(TextOf(arrow::float32(), "[0.1, 1e10]"), ElementsAre("0.1", "10000000000.0"));
  EXPECT_THAT(TextOf(arrow::float16(), "[0.1, 1.5]"), ElementsAre("0.1", "1.5"));
  EXPECT_THAT(TextOf(arrow::binary(), R"(["a"])"), ElementsAre("b'a'"));
  EXPECT_THAT(TextOf(arrow::decimal128(20, 4), R"(["1.5000"])"), ElementsAre("1.5000"));
  EXPECT_THAT(TextOf(arrow::date32(), "[18729, -719162]"), ElementsAre("2021-04-12", "0001-01-01"));
  EXPECT_THAT(TextOf(arrow::timestamp(TimeUnit::SECOND), "[1709164800]"),
              ElementsAre("2024-02-29T00:00:00"));
  EXPECT_THAT(TextOf(arrow::timestamp(TimeUnit::MILLI), "[-1]"),
              ElementsAre("1969-12-31T23:59:59.999"));
  EXPECT_THAT(TextOf(Us(), "[1618225182123456]"), ElementsAre("2021-04-12T10:59:42.123456"));
  EXPECT_THAT(TextOf(arrow::timestamp(TimeUnit::NANO), "[5]"),
              ElementsAre("1970-01-01T00:00:00.000000005"));
}

TEST(ScalarFieldTest, WritesUuidsFromTextAndSixteenBytes) {
  const std::string text = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const std::string bytes("\x0f\x8f\xad\x5b\xd9\xcb\x46\x9f\xa1\x65\x70\x86\x77\x28\x95\x0e", 16);
  const std::string value = "a20224" + Hex(text);
  EXPECT_THAT(HexOf(ValueType::kUuid, arrow::utf8(), "[\"" + text + "\", null]"),
              ElementsAre(value, ""));
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  ASSERT_OK(builder.Append(bytes));
  ASSERT_OK_AND_ASSIGN(const ArrayPtr storage, builder.Finish());
  EXPECT_THAT(HexOf(Encode(ValueType::kUuid, storage)), ElementsAre(value));
  const ArrayPtr extension = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage);
  EXPECT_THAT(HexOf(Encode(ValueType::kTimeUuid, extension)), ElementsAre("aa0224" + Hex(text)));
  EXPECT_FAULT(Fault::kData, "no UUID of 16 bytes: b'ab'",
               Encode(ValueType::kUuid, arrow::binary(), R"(["ab"])"));
}

TEST(ScalarFieldTest, KeepsTheScaleOfDecimals) {
  EXPECT_THAT(
      HexOf(ValueType::kDecimal, arrow::decimal128(20, 4), R"(["1.5000", "-0.0001", null])"),
      ElementsAre("e20206312e35303030", "e202072d302e30303031", ""));
  EXPECT_THAT(HexOf(ValueType::kDecimal, arrow::utf8(), R"(["1.50", "1E+3"])"),
              ElementsAre("e20204312e3530", "e2020431452b33"));
  EXPECT_THAT(HexOf(ValueType::kDecimal, arrow::decimal128(20, 10), R"(["0.0000000001"])"),
              ElementsAre("e20205" + Hex("1E-10")));
}

TEST(ScalarFieldTest, GivesTextAndNumberBesideTheBytesWhenAsked) {
  const EncodeNeeds both{.value_text = true, .value_num = true};
  ASSERT_OK_AND_ASSIGN(const auto floats,
                       Encode(ValueType::kFloat, Column(arrow::float32(), "[0.1, null]"), both));
  EXPECT_EQ(floats.text[0], "0.10000000149011612");
  EXPECT_THAT(floats.text_valid, ElementsAre(1, 0));
  EXPECT_THAT(floats.num_valid, ElementsAre(1, 0));
  EXPECT_DOUBLE_EQ(floats.num[0], 0.10000000149011612);
  ASSERT_OK_AND_ASSIGN(const auto bools,
                       Encode(ValueType::kBool, Column(arrow::int8(), "[1]"), both));
  EXPECT_EQ(bools.text[0], "True");
  EXPECT_EQ(bools.num[0], 1.0);
  for (const auto& [type, column] : std::vector<std::pair<ValueType, ArrayPtr>>{
           {ValueType::kUnixTimestamp, Column(Us(), "[5]")},
           {ValueType::kBytes, Column(arrow::binary(), R"(["a"])")},
           {ValueType::kDecimal, Column(arrow::utf8(), R"(["1"])")},
           {ValueType::kInt64List, Column(arrow::list(arrow::int64()), "[[1]]")}}) {
    ASSERT_OK_AND_ASSIGN(const auto encoded, Encode(type, column, both));
    EXPECT_THAT(encoded.text_valid, ElementsAre(0)) << NameOf(type);
    EXPECT_THAT(encoded.num_valid, ElementsAre(0)) << NameOf(type);
    EXPECT_EQ(encoded.text.size(), 1U);
  }
  ASSERT_OK_AND_ASSIGN(const auto bare, Encode(ValueType::kInt64, arrow::int64(), "[1]"));
  EXPECT_TRUE(bare.text_valid.empty());
  EXPECT_TRUE(bare.num_valid.empty());
}

TEST(ScalarFieldTest, RefusesWhatCanNeverConvert) {
  EXPECT_FAULT(Fault::kData, "time32[ms] cannot become INT64",
               Encode(ValueType::kInt64, arrow::time32(TimeUnit::MILLI), "[]"));
  EXPECT_FAULT(Fault::kData, "duration[us] cannot become STRING",
               Encode(ValueType::kString, arrow::duration(TimeUnit::MICRO), "[]"));
  EXPECT_FAULT(Fault::kData, "list<item: int64> cannot become INT64",
               Encode(ValueType::kInt64, arrow::list(arrow::int64()), "[]"));
  EXPECT_FAULT(Fault::kData, "Feast type 999 is not known",
               Encode(static_cast<ValueType>(999), arrow::int64(), "[]"));
}

// A column of words as a dictionary, and the same rows as plain text.
struct TwoForms {
  ArrayPtr dictionary;
  ArrayPtr plain;
};
TwoForms InTwoForms(const std::string& words, const std::string& indices) {
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  TwoForms forms;
  forms.dictionary = arrow::DictionaryArray::FromArrays(type, Column(arrow::int32(), indices),
                                                        Column(arrow::utf8(), words))
                         .ValueOrDie();
  forms.plain =
      arrow::compute::Take(*Column(arrow::utf8(), words), *Column(arrow::int32(), indices))
          .ValueOrDie();
  return forms;
}

void ExpectEqual(const EncodedFeature& a, const EncodedFeature& b) {
  EXPECT_EQ(a.values.data, b.values.data);
  EXPECT_EQ(a.values.offsets, b.values.offsets);
  EXPECT_EQ(a.text.data, b.text.data);
  EXPECT_EQ(a.text.offsets, b.text.offsets);
  EXPECT_EQ(a.text_valid, b.text_valid);
  EXPECT_EQ(a.num, b.num);
  EXPECT_EQ(a.num_valid, b.num_valid);
}

TEST(FieldEncoderTest, EncodesADictionaryAsItsWords) {
  constexpr EncodeNeeds kNeeds{.value_text = true, .value_num = true};
  for (const auto& [words, type] :
       {std::pair(R"(["7", "-1", ""])", ValueType::kString),
        std::pair(R"(["7", "-1", "3"])", ValueType::kInt64),
        std::pair(R"(["7", "-1", "nan"])", ValueType::kDouble),
        std::pair(R"(["{\"a\": 1}", "{}", "{\"b\": 2}"])", ValueType::kMap),
        std::pair(R"(["7", null, "3"])", ValueType::kString)}) {
    for (const std::string indices : {"[2, 0, null, 1, 0, 2]", "[1, 0]", "[]"}) {
      SCOPED_TRACE(std::string(words) + " at " + indices);
      const TwoForms forms = InTwoForms(words, indices);
      ASSERT_OK_AND_ASSIGN(const EncodedFeature dictionary, Encode(type, forms.dictionary, kNeeds));
      ASSERT_OK_AND_ASSIGN(const EncodedFeature plain, Encode(type, forms.plain, kNeeds));
      ExpectEqual(dictionary, plain);
    }
  }
}

TEST(FieldEncoderTest, AWordThatDoesNotConvertMattersOnlyWhereARowHasIt) {
  const TwoForms unused = InTwoForms(R"(["7", "seven"])", "[0, 0, 0]");
  EXPECT_OK(Encode(ValueType::kInt64, unused.dictionary));
  const TwoForms used = InTwoForms(R"(["7", "seven"])", "[0, 1, 0]");
  ASSERT_OK_AND_ASSIGN(auto encoder, FieldEncoder::Make({.name = "f", .type = ValueType::kInt64},
                                                        used.dictionary->type(), {}));
  EncodedFeature encoded;
  int64_t failed_row = -1;
  EXPECT_FAULT(Fault::kData, "seven", encoder->Append(used.dictionary, &encoded, &failed_row));
  EXPECT_EQ(failed_row, 1);
}

TEST(FieldEncoderTest, TakesDictionariesViewsAndNullColumns) {
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  EXPECT_THAT(HexOf(ValueType::kString, dictionary, R"(["a", null, "b", "a"])"),
              ElementsAre("120161", "", "120162", "120161"));
  EXPECT_THAT(HexOf(ValueType::kStringList, arrow::list(dictionary), R"([["a", "b"], []])"),
              ElementsAre("62060a01610a0162", "6200"));
  EXPECT_THAT(HexOf(ValueType::kString, arrow::utf8_view(), R"(["a"])"), ElementsAre("120161"));
  EXPECT_THAT(HexOf(ValueType::kBytes, arrow::binary_view(), R"(["a"])"), ElementsAre("0a0161"));
  ASSERT_OK_AND_ASSIGN(const arrow::Datum runs,
                       arrow::compute::RunEndEncode(Column(arrow::int64(), "[7, 7, 8]")));
  EXPECT_THAT(HexOf(Encode(ValueType::kInt64, runs.make_array())),
              ElementsAre("2007", "2007", "2008"));
  for (const ValueType type :
       {ValueType::kInt64, ValueType::kUnixTimestamp, ValueType::kMap, ValueType::kStringList}) {
    EXPECT_THAT(HexOf(type, arrow::null(), "[null, null]"), ElementsAre("", "")) << NameOf(type);
  }
}

TEST(FieldEncoderTest, ReadsSlicesFromTheirOffset) {
  struct Case {
    ValueType type;
    TypePtr arrow_type;
    std::string json;
  };
  for (const Case& c : std::vector<Case>{
           {ValueType::kInt64, arrow::int64(), "[1, null, 3, 4]"},
           {ValueType::kBool, arrow::boolean(), "[true, null, false, true]"},
           {ValueType::kString, arrow::utf8(), R"(["a", null, "c", "d"])"},
           {ValueType::kString, arrow::dictionary(arrow::int8(), arrow::utf8()),
            R"(["a", null, "c", "d"])"},
           {ValueType::kInt64List, arrow::list(arrow::int64()), "[[1], null, [2, 3], []]"},
           {ValueType::kFloatList, arrow::fixed_size_list(arrow::float32(), 2),
            "[[1, 2], null, [3, 4], [5, 6]]"},
           {ValueType::kMap, arrow::struct_({arrow::field("a", arrow::int64())}),
            R"([{"a": 1}, null, {"a": 3}, {"a": null}])"},
           {ValueType::kMap, arrow::map(arrow::utf8(), arrow::int64()),
            R"([[["a", 1]], null, [["b", 2]], []])"},
           {ValueType::kJson, arrow::struct_({arrow::field("a", arrow::int64())}),
            R"([{"a": 1}, null, {"a": 3}, {"a": 4}])"},
           {ValueType::kMapList, arrow::list(arrow::struct_({arrow::field("a", arrow::int64())})),
            R"([[{"a": 1}], null, [{"a": 2}, null], []])"}}) {
    const ArrayPtr column = Column(c.arrow_type, c.json);
    const std::vector<std::string> whole = HexOf(Encode(c.type, column));
    ASSERT_EQ(whole.size(), 4U) << c.json << whole[0];
    const std::vector<std::string> sliced = HexOf(Encode(c.type, column->Slice(1, 2)));
    EXPECT_THAT(sliced, ElementsAre(whole[1], whole[2])) << c.json;
  }
}

}  // namespace
}  // namespace banquet
