// Collections: lists, sets, maps, structs, JSON. Expected bytes are Feast 0.67's where it is right.

#include "banquet/encode/value_writer.h"

#include <string>
#include <vector>

#include "arrow/array.h"
#include "arrow/json/from_string.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/encode/field_encoder.h"

namespace banquet {
namespace {

using arrow::TimeUnit;
using testing::ElementsAre;
using TypePtr = std::shared_ptr<arrow::DataType>;

Result<std::vector<std::string>> Encode(const Field& feature, const TypePtr& type,
                                        const std::string& json) {
  BANQUET_ASSIGN_OR_RETURN(const auto column, arrow::json::ArrayFromJSONString(type, json));
  BANQUET_ASSIGN_OR_RETURN(const auto encoder, FieldEncoder::Make(feature, type, {}));
  EncodedFeature encoded;
  int64_t failed_row = -1;
  BANQUET_RETURN_NOT_OK(encoder->Append(column, &encoded, &failed_row));
  std::vector<std::string> values;
  for (size_t i = 0; i < encoded.values.size(); ++i) {
    std::string& hex = values.emplace_back();
    for (const char c : encoded.values[i])
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return values;
}

Result<std::vector<std::string>> Encode(ValueType type, const TypePtr& arrow_type,
                                        const std::string& json) {
  return Encode(Field{.name = "f", .type = type, .tags = {}, .description = {}}, arrow_type, json);
}

std::vector<std::string> HexOf(ValueType type, const TypePtr& arrow_type, const std::string& json) {
  const auto values = Encode(type, arrow_type, json);
  return values.ok() ? *values : std::vector<std::string>{values.status().ToString()};
}

std::string HexOfText(std::string_view text) {
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

TypePtr Us() { return arrow::timestamp(TimeUnit::MICRO, "UTC"); }
TypePtr Struct(std::vector<std::pair<std::string, TypePtr>> members) {
  arrow::FieldVector fields;
  for (const auto& [name, type] : members) fields.push_back(arrow::field(name, type));
  return arrow::struct_(fields);
}

TEST(ListTest, PacksNumbersAndKeepsEmptyListsApartFromNulls) {
  EXPECT_THAT(HexOf(ValueType::kInt64List, arrow::list(arrow::int64()), "[[1, 2, 300], [], null]"),
              ElementsAre("72060a040102ac02", "7200", ""));
  EXPECT_THAT(HexOf(ValueType::kInt32List, arrow::list(arrow::int32()), "[[-1]]"),
              ElementsAre("6a0c0a0affffffffffffffffff01"));
  EXPECT_THAT(HexOf(ValueType::kDoubleList, arrow::list(arrow::float32()), "[[0.1]]"),
              ElementsAre("7a0a0a08000000a09999b93f"));
  EXPECT_THAT(HexOf(ValueType::kFloatList, arrow::list(arrow::float64()), "[[0.1]]"),
              ElementsAre("8201060a04cdcccc3d"));
  EXPECT_THAT(HexOf(ValueType::kFloatList, arrow::fixed_size_list(arrow::float32(), 2),
                    "[[0.5, 1.5], [2.5, 3.5]]"),
              ElementsAre("82010a0a080000003f0000c03f", "82010a0a080000204000006040"));
  EXPECT_THAT(HexOf(ValueType::kInt64List, arrow::large_list(arrow::int32()), "[[1]]"),
              ElementsAre("72030a0101"));
  EXPECT_THAT(HexOf(ValueType::kBytesList, arrow::list(arrow::binary()), R"([["a", ""]])"),
              ElementsAre("5a050a01610a00"));
}

TEST(ListTest, WritesLengthsOfMoreThanOneByte) {
  std::string json = "[[1";
  for (int i = 1; i < 200; ++i) json += ", 1";
  std::string ones;
  for (int i = 0; i < 200; ++i) ones += "01";
  EXPECT_THAT(HexOf(ValueType::kInt64List, arrow::list(arrow::int64()), json + "]]"),
              ElementsAre("72cb010ac801" + ones));
  EXPECT_THAT(HexOf(ValueType::kStringList, arrow::list(arrow::utf8()),
                    "[[\"" + std::string(200, 'x') + "\"]]"),
              ElementsAre("62cb010ac801" + HexOfText(std::string(200, 'x'))));
}

TEST(ListTest, GivesNullElementsTheirPlaceholder) {
  EXPECT_THAT(
      HexOf(ValueType::kInt64List, arrow::list(arrow::int64()), "[[9007199254740993, null]]"),
      ElementsAre("720b0a09818080808080801000"));
  EXPECT_THAT(HexOf(ValueType::kDoubleList, arrow::list(arrow::float64()), "[[1.0, null]]"),
              ElementsAre("7a120a10000000000000f03f000000000000f87f"));
  EXPECT_THAT(HexOf(ValueType::kStringList, arrow::list(arrow::utf8()), R"([["a", null]])"),
              ElementsAre("62050a01610a00"));
  EXPECT_THAT(HexOf(ValueType::kBoolList, arrow::list(arrow::boolean()), "[[true, null]]"),
              ElementsAre("8a01040a020100"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestampList, arrow::list(Us()), "[[1618225182123456, null]]"),
              ElementsAre("9201110a0f9ed0d0830680808080808080808001"));
  EXPECT_THAT(HexOf(ValueType::kInt64List, arrow::list(arrow::null()), "[[null, null], []]"),
              ElementsAre("72040a020000", "7200"));
  EXPECT_THAT(HexOf(ValueType::kStringSet, arrow::list(arrow::null()), "[[null, null]]"),
              ElementsAre("ba01020a00"));
}

TEST(ListTest, KeepsNanElements) {
  EXPECT_THAT(HexOf(ValueType::kFloatList, arrow::list(arrow::float32()), "[[NaN, 1.0]]"),
              ElementsAre("82010a0a080000c07f0000803f"));
}

TEST(ListTest, CutsTimesToSecondsInAllUnits) {
  EXPECT_THAT(
      HexOf(ValueType::kUnixTimestampList, arrow::list(Us()), "[[0, 1618225182123456, -1]]"),
      ElementsAre("9201090a07009ed0d0830600"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestampList, arrow::list(arrow::timestamp(TimeUnit::NANO)),
                    "[[1618225182123456000], []]"),
              ElementsAre("9201070a059ed0d08306", "920100"));
  EXPECT_THAT(HexOf(ValueType::kUnixTimestampSet, arrow::list(Us()), "[[-1]]"),
              ElementsAre("ea010c0a0affffffffffffffffff01"));
}

TEST(ListTest, RefusesElementsOfAnotherKind) {
  EXPECT_FAULT(Fault::kData,
               "list<item: double> cannot become INT64_LIST, which takes lists of integers",
               Encode(ValueType::kInt64List, arrow::list(arrow::float64()), "[]"));
  EXPECT_FAULT(Fault::kData, "string cannot become INT64_LIST",
               Encode(ValueType::kInt64List, arrow::utf8(), "[]"));
  EXPECT_FAULT(Fault::kData, "which takes lists of text",
               Encode(ValueType::kStringList, arrow::list(arrow::int64()), "[]"));
  EXPECT_FAULT(Fault::kData, "out of range: 2147483648",
               Encode(ValueType::kInt32List, arrow::list(arrow::int64()), "[[2147483648]]"));
}

TEST(SetTest, KeepsTheFirstOfEqualElements) {
  EXPECT_THAT(
      HexOf(ValueType::kStringSet, arrow::list(arrow::utf8()), R"([["x", "x", "x"], [], null])"),
      ElementsAre("ba01030a0178", "ba0100", ""));
  EXPECT_THAT(HexOf(ValueType::kInt64Set, arrow::list(arrow::int64()), "[[300, 2, 300]]"),
              ElementsAre("ca01050a03ac0202"));
  EXPECT_THAT(HexOf(ValueType::kBoolSet, arrow::list(arrow::boolean()), "[[true, true]]"),
              ElementsAre("e201030a0101"));
  EXPECT_THAT(HexOf(ValueType::kDecimalSet, arrow::list(arrow::decimal128(20, 4)),
                    R"([["1.5000", "1.5000"]])"),
              ElementsAre("f202080a06312e35303030"));
}

TEST(SetTest, RemovesDuplicatesFromLargeSetsToo) {
  std::string json = "[[";
  std::string expected;
  for (int i = 0; i < 100; ++i) json += fmt::format("{}, ", i);
  for (int i = 0; i < 100; ++i) json += fmt::format("{}{}", i, i < 99 ? ", " : "]]");
  for (int i = 0; i < 100; ++i) expected += fmt::format("{:02x}", i);
  EXPECT_THAT(HexOf(ValueType::kInt64Set, arrow::list(arrow::int64()), json),
              ElementsAre("ca01660a64" + expected));
}

TEST(NestedListTest, WritesListsOfListsToAnyDepth) {
  const auto lists = arrow::list(arrow::list(arrow::int64()));
  EXPECT_THAT(HexOf(ValueType::kValueList, lists, "[[[1, 2], [3]], [[]], [], null]"),
              ElementsAre("d2020f0a0672040a0201020a0572030a0103", "d202020a00", "d20200", ""));
  EXPECT_THAT(HexOf(ValueType::kValueSet, lists, "[[[1, 2], [1, 2]]]"),
              ElementsAre("da02100a0672040a0201020a0672040a020102"));
  EXPECT_THAT(HexOf(ValueType::kValueList, arrow::list(arrow::list(arrow::utf8())),
                    R"([[["a", "a"], ["b"]]])"),
              ElementsAre("d202110a0862060a01610a01610a0562030a0162"));
  EXPECT_THAT(HexOf(ValueType::kValueList, arrow::list(lists), "[[[[1]]]]"),
              ElementsAre("d2020c0a0ad202070a0572030a0101"));
  EXPECT_FAULT(Fault::kData, "lists of lists of scalars",
               Encode(ValueType::kValueList, arrow::list(arrow::int64()), "[]"));
}

TEST(NestedListTest, TakesTheLeafTypeFromTheTagOverTheArrowType) {
  const Field feature{.name = "f",
                      .type = ValueType::kValueList,
                      .tags = {{"feast:nested_inner_type", "Array(Array(FLOAT))"}},
                      .description = {}};
  ASSERT_OK_AND_ASSIGN(const auto values,
                       Encode(feature, arrow::list(arrow::list(arrow::float32())), "[[[1.0]]]"));
  EXPECT_THAT(values, ElementsAre("d2020b0a098201060a040000803f"));
}

TEST(MapTest, WritesStructsAndMapsSortedByKey) {
  EXPECT_THAT(HexOf(ValueType::kMap, Struct({{"b", arrow::utf8()}, {"a", arrow::int32()}}),
                    R"([{"b": "x", "a": 1}, null])"),
              ElementsAre("a201130a070a0161120220010a080a01621203120178", ""));
  EXPECT_THAT(
      HexOf(ValueType::kMap, arrow::map(arrow::utf8(), arrow::utf8()), R"([[["a", "b"]], []])"),
      ElementsAre("a2010a0a080a01611203120162", "a20100"));
  EXPECT_THAT(HexOf(ValueType::kMap, arrow::map(arrow::large_utf8(), arrow::int64()),
                    R"([[["b", 1], ["a", 2], ["b", 3]]])"),
              ElementsAre("a201120a070a0161120220020a070a016212022003"));
}

TEST(MapTest, MendsIntegersBesideNullsInStructs) {
  EXPECT_THAT(HexOf(ValueType::kStruct, Struct({{"a", arrow::int64()}, {"b", arrow::utf8()}}),
                    R"([{"a": 1, "b": "x"}, {"a": null, "b": "y"}, null])"),
              ElementsAre("9202130a070a0161120220010a080a01621203120178",
                          "9202110a050a016112000a080a01621203120179", ""));
}

TEST(MapTest, WritesWhatIsInsideByItsArrowType) {
  const auto one = [](const TypePtr& type, const std::string& json) {
    return HexOf(ValueType::kMap, Struct({{"k", type}}), "[{\"k\": " + json + "}]");
  };
  EXPECT_THAT(one(arrow::float32(), "1.5"), ElementsAre("a201100a0e0a016b120929000000000000f83f"));
  EXPECT_THAT(one(arrow::float64(), "NaN"), ElementsAre("a201070a050a016b1200"));
  EXPECT_THAT(one(arrow::boolean(), "true"), ElementsAre("a201090a070a016b12023801"));
  EXPECT_THAT(one(arrow::null(), "null"), ElementsAre("a201070a050a016b1200"));
  EXPECT_THAT(one(arrow::binary(), "\"a\""), ElementsAre("a2010a0a080a016b12030a0161"));
  EXPECT_THAT(one(Us(), "1618225182123456"), ElementsAre("a2010d0a0b0a016b1206409ed0d08306"));
  EXPECT_THAT(one(arrow::list(arrow::int32()), "[1, 2]"),
              ElementsAre("a2010d0a0b0a016b120672040a020102"));
  EXPECT_THAT(one(Struct({{"q", arrow::utf8()}}), "{\"q\": \"z\"}"),
              ElementsAre("a201140a120a016b120da2010a0a080a0171120312017a"));
  EXPECT_FAULT(Fault::kData, "cannot become MAP",
               Encode(ValueType::kMap, Struct({{"k", arrow::duration(TimeUnit::SECOND)}}), "[]"));
  EXPECT_FAULT(Fault::kData, "cannot become MAP",
               Encode(ValueType::kMap, Struct({{"k", arrow::int8()}, {"k", arrow::int8()}}), "[]"));
  EXPECT_FAULT(Fault::kData, "cannot become MAP",
               Encode(ValueType::kMap, arrow::map(arrow::int64(), arrow::utf8()), "[]"));
}

TEST(MapTest, ReadsMapsFromJsonText) {
  EXPECT_THAT(HexOf(ValueType::kMap, arrow::utf8(), R"(["{\"b\": \"x\", \"a\": 1}", "{}", null])"),
              ElementsAre("a201130a070a0161120220010a080a01621203120178", "a20100", ""));
  EXPECT_THAT(
      HexOf(ValueType::kMap, arrow::large_utf8(), R"(["{\"d\": 1.5, \"n\": null, \"t\": true}"])"),
      ElementsAre("a201200a0e0a0164120929000000000000f83f0a050a016e12000a070a017412023801"));
  EXPECT_THAT(
      HexOf(ValueType::kMap, arrow::utf8(), R"(["{\"l\": [1, 2], \"m\": {\"q\": \"z\"}}"])"),
      ElementsAre("a201210a0b0a016c120672040a0201020a120a016d120da2010a0a080a0171120312017a"));
  EXPECT_THAT(HexOf(ValueType::kMap, arrow::utf8(),
                    R"(["{\"l\": [1, 2.5]}", "{\"l\": [true, false]}", "{\"l\": [\"x\"]}"])"),
              ElementsAre("a2011b0a190a016c12147a120a10000000000000f03f0000000000000440",
                          "a2010e0a0c0a016c12078a01040a020100", "a2010c0a0a0a016c120562030a0178"));
  EXPECT_THAT(
      HexOf(ValueType::kMap, arrow::utf8(), R"(["{\"l\": [{\"a\": 1}]}", "{\"l\": [[1], []]}"])"),
      ElementsAre("a201150a130a016c120eaa010b0a090a070a016112022001",
                  "a201130a110a016c120cd202090a0572030a01010a00"));
}

TEST(MapTest, RefusesJsonThatIsNoMap) {
  const auto encode = [](const std::string& text) {
    return Encode(ValueType::kMap, arrow::utf8(), "[\"" + text + "\"]");
  };
  EXPECT_FAULT(Fault::kData, "Not JSON: expected a value at byte 0", encode("not json"));
  EXPECT_FAULT(Fault::kData, "JSON is no object: 3", encode("3"));
  EXPECT_FAULT(Fault::kData, "empty list", encode(R"({\"a\": []})"));
  EXPECT_FAULT(Fault::kData, "mixes types", encode(R"({\"a\": [1, \"x\"]})"));
  EXPECT_FAULT(Fault::kData, "only nulls", encode(R"({\"a\": [null]})"));
  EXPECT_FAULT(Fault::kData, "beyond 64 bits", encode(R"({\"a\": 9223372036854775808})"));
  EXPECT_FAULT(Fault::kData, "beyond 64 bits", encode(R"({\"a\": [9223372036854775808]})"));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += R"({\"a\":)";
  EXPECT_FAULT(Fault::kData, "nested too deeply", encode(deep));
}

TEST(MapTest, PutsWhatIsNoStructUnderValue) {
  EXPECT_THAT(HexOf(ValueType::kStruct, arrow::utf8(), R"(["{\"a\": 1}", "3"])"),
              ElementsAre("9202090a070a016112022001", "92020f0a0d0a065f76616c75651203120133"));
  EXPECT_THAT(HexOf(ValueType::kStruct, arrow::int64(), "[3]"),
              ElementsAre("92020f0a0d0a065f76616c75651203120133"));
}

TEST(MapTest, WritesListsOfMaps) {
  const auto structs = arrow::list(Struct({{"a", arrow::int64()}}));
  EXPECT_THAT(HexOf(ValueType::kStructList, structs, R"([[{"a": 1}, {"a": 2}], [], null])"),
              ElementsAre("9a02160a090a070a0161120220010a090a070a016112022002", "9a0200", ""));
  EXPECT_THAT(HexOf(ValueType::kMapList, structs, R"([[{"a": 1}]])"),
              ElementsAre("aa010b0a090a070a016112022001"));
  EXPECT_THAT(
      HexOf(ValueType::kMapList, arrow::utf8(), R"(["[{\"a\": 1}, {\"b\": \"x\"}]", "[]"])"),
      ElementsAre("aa01170a090a070a0161120220010a0a0a080a01621203120178", "aa0100"));
  EXPECT_THAT(HexOf(ValueType::kMapList, arrow::large_utf8(), R"(["[]"])"), ElementsAre("aa0100"));
  EXPECT_FAULT(Fault::kData, "no array of objects: [1]",
               Encode(ValueType::kMapList, arrow::utf8(), R"(["[1]"])"));
  EXPECT_FAULT(Fault::kData, "cannot become MAP_LIST",
               Encode(ValueType::kMapList, arrow::int64(), "[]"));
}

TEST(ScalarMapTest, TakesMapsWithoutTextKeys) {
  EXPECT_THAT(HexOf(ValueType::kScalarMap, arrow::map(arrow::int64(), arrow::utf8()),
                    R"([[[1, "b"]], null])"),
              ElementsAre("fa020b0a090a0210011203120162", ""));
  EXPECT_THAT(HexOf(ValueType::kScalarMap, arrow::map(arrow::boolean(), arrow::int64()),
                    R"([[[true, null]]])"),
              ElementsAre("fa02080a060a0228011200"));
  EXPECT_FAULT(Fault::kData, "SCALAR_MAP, which takes maps whose keys",
               Encode(ValueType::kScalarMap, arrow::utf8(), "[]"));
  EXPECT_FAULT(Fault::kData, "cannot become SCALAR_MAP",
               Encode(ValueType::kScalarMap, arrow::map(arrow::utf8(), arrow::utf8()), "[]"));
}

TEST(ZonedTimestampTest, TakesTheZoneOfTheColumn) {
  EXPECT_THAT(
      HexOf(ValueType::kZonedTimestamp, arrow::timestamp(TimeUnit::MICRO, "America/New_York"),
            "[1618225182123456, 0, null]"),
      ElementsAre("820318089ed0d083061210416d65726963612f4e65775f596f726b",
                  "8203121210416d65726963612f4e65775f596f726b", ""));
  EXPECT_FAULT(Fault::kData, "timestamps with a time zone",
               Encode(ValueType::kZonedTimestamp, arrow::timestamp(TimeUnit::MICRO), "[]"));
  EXPECT_FAULT(Fault::kData, "timestamps with a time zone",
               Encode(ValueType::kZonedTimestamp, arrow::int64(), "[]"));
}

TEST(JsonTest, KeepsTextAsItStands) {
  EXPECT_THAT(HexOf(ValueType::kJson, arrow::utf8(),
                    R"(["{\"a\": 1}", " [1, 2 ] ", "\"s\"", null, "null"])"),
              ElementsAre("8202087b2261223a20317d", "820209205b312c2032205d20", "820203227322", "",
                          "8202046e756c6c"));
  EXPECT_FAULT(Fault::kData, "expected a name in double quotes at byte 1",
               Encode(ValueType::kJson, arrow::utf8(), R"(["{oops"])"));
}

TEST(JsonTest, DumpsOtherValuesAsPythonDoes) {
  EXPECT_THAT(HexOf(ValueType::kJson, Struct({{"a", arrow::int64()}, {"b", arrow::utf8()}}),
                    R"([{"a": 1, "b": "ż"}])"),
              ElementsAre("8202177b2261223a20312c202262223a20225c7530313763227d"));
  const auto type = Struct({{"l", arrow::list(arrow::float64())},
                            {"m", arrow::map(arrow::utf8(), arrow::boolean())},
                            {"n", arrow::null()}});
  const std::string dumped =
      R"({"l": [1.0, null, NaN, -Infinity], "m": {"k": true, "j": false}, "n": null})";
  EXPECT_THAT(
      HexOf(ValueType::kJson, type,
            R"([{"l": [1.0, null, NaN, -Inf], "m": [["k", true], ["j", false]], "n": null}])"),
      ElementsAre(fmt::format("8202{:02x}", dumped.size()) + HexOfText(dumped)));
  EXPECT_FAULT(Fault::kData, "timestamp[us, tz=UTC] cannot become JSON",
               Encode(ValueType::kJson, Us(), "[]"));
  EXPECT_FAULT(Fault::kData, "cannot become JSON",
               Encode(ValueType::kJson, Struct({{"a", arrow::binary()}}), "[]"));
}

TEST(JsonTest, WritesListsOfJson) {
  EXPECT_THAT(HexOf(ValueType::kJsonList, arrow::list(arrow::utf8()),
                    R"([["{\"a\": 1}", "[1]"], [], null, ["1", null]])"),
              ElementsAre("8a020f0a087b2261223a20317d0a035b315d", "8a0200", "",
                          "8a02090a01310a046e756c6c"));
  EXPECT_FAULT(Fault::kData, "Not JSON",
               Encode(ValueType::kJsonList, arrow::list(arrow::utf8()), R"([["x"]])"));
  EXPECT_FAULT(Fault::kData, "cannot become JSON_LIST",
               Encode(ValueType::kJsonList, arrow::utf8(), "[]"));
}

}  // namespace
}  // namespace banquet
