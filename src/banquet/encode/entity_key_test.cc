#include "banquet/encode/entity_key.h"

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "arrow/array.h"
#include "arrow/builder.h"
#include "arrow/json/from_string.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/model/entity.h"

namespace banquet {
namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return hex;
}

Field Key(const std::string& name, ValueType type) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

struct Column {
  std::string name;
  std::shared_ptr<arrow::Array> values;
};

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.values->type()));
    arrays.push_back(column.values);
  }
  const int64_t rows = arrays.empty() ? 0 : arrays[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                    std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Result<std::vector<std::string>> KeysOf(const std::vector<Field>& keys,
                                        const std::vector<Column>& columns, int version = 3) {
  const std::shared_ptr<arrow::RecordBatch> batch = Batch(columns);
  BANQUET_ASSIGN_OR_RETURN(const auto encoder,
                           EntityKeyEncoder::Make(keys, version, *batch->schema()));
  BytesColumn out;
  BANQUET_RETURN_NOT_OK(encoder->AppendAll(*batch, &out));
  std::vector<std::string> hex;
  for (size_t i = 0; i < out.size(); ++i) hex.push_back(Hex(out[i]));
  return hex;
}

// The key "k" of one column.
Result<std::vector<std::string>> KeysOfColumn(ValueType key,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              std::string_view json) {
  return KeysOf({Key("k", key)}, {{"k", Array(type, json)}});
}

// What a key "k" holds behind count and name: type, length and value.
std::string K(const std::string& value_hex) { return "0100000002000000010000006b" + value_hex; }

std::string Int64Hex(int64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  return K("0400000008000000" + Hex(bytes));
}

std::string TextHex(const std::string& text) {
  return K("02000000" + Hex(std::string(1, static_cast<char>(text.size()))) + "000000" + Hex(text));
}

// feast-compat 5.3, which real Feast wrote.
TEST(EntityKeyEncoder, WritesTheKeysThatFeastWrites) {
  const auto one = [](const Field& key, const std::shared_ptr<arrow::DataType>& type,
                      const char* json, int version = 3) {
    const auto keys = KeysOf({key}, {{key.name, Array(type, json)}}, version);
    return keys.ok() ? keys->at(0) : keys.status().ToString();
  };
  EXPECT_EQ(one(Key("driver_id", ValueType::kInt64), arrow::int64(), "[1001]"),
            "0100000002000000090000006472697665725f69640400000008000000e903000000000000");
  EXPECT_EQ(one(Key("driver_id", ValueType::kInt64), arrow::int64(), "[1001]", 2),
            "020000006472697665725f69640400000008000000e903000000000000");
  EXPECT_EQ(one(Key("driver_id", ValueType::kInt32), arrow::int32(), "[1001]"),
            "0100000002000000090000006472697665725f69640300000004000000e9030000");
  EXPECT_EQ(one(Key("user_id", ValueType::kString), arrow::utf8(), R"(["u-42"])"),
            "010000000200000007000000757365725f69640200000004000000752d3432");
  EXPECT_EQ(one(Key("id", ValueType::kInt32), arrow::int32(), "[-1]"),
            "01000000020000000200000069640300000004000000ffffffff");
  EXPECT_EQ(one(Key("id", ValueType::kInt64), arrow::int32(), "[-1]"),
            "01000000020000000200000069640400000008000000ffffffffffffffff");
  EXPECT_EQ(one(Key("id", ValueType::kBytes), arrow::binary(), R"([""])"),
            "01000000020000000200000069640100000000000000");
  EXPECT_EQ(one(Key("id", ValueType::kUnixTimestamp), arrow::timestamp(arrow::TimeUnit::MICRO),
                "[1618225182123456]"),
            "010000000200000002000000696408000000080000001e28746000000000");
  EXPECT_EQ(one(Key("id", ValueType::kInt64), arrow::utf8(), R"(["5"])"),
            "010000000200000002000000696404000000080000000500000000000000");
}

TEST(EntityKeyEncoder, OrdersTheKeysByName) {
  const std::vector<Field> keys = {Key("driver_id", ValueType::kInt64),
                                   Key("customer_id", ValueType::kString)};
  const std::vector<Column> columns = {{"driver_id", Array(arrow::int64(), "[-7]")},
                                       {"other", Array(arrow::utf8(), R"(["x"])")},
                                       {"customer_id", Array(arrow::utf8(), "[\"c\u00e9\"]")}};
  ASSERT_OK_AND_ASSIGN(const auto hex, KeysOf(keys, columns));
  EXPECT_THAT(hex,
              ::testing::ElementsAre(
                  "02000000020000000b000000637573746f6d65725f696402000000090000006472697665725f"
                  "6964020000000300000063c3a90400000008000000f9ffffffffffffff"));
  ASSERT_OK_AND_ASSIGN(const auto version_2, KeysOf(keys, columns, 2));
  EXPECT_THAT(version_2, ::testing::ElementsAre(
                             "02000000637573746f6d65725f6964020000006472697665725f696402000000"
                             "0300000063c3a90400000008000000f9ffffffffffffff"));
}

TEST(EntityKeyEncoder, GivesAnEntitylessViewOneKeyForEveryRow) {
  const std::string dummy = "01000000020000000a0000005f5f64756d6d795f69640200000000000000";
  const std::vector<Column> columns = {{"f", Array(arrow::int64(), "[1, 2]")}};
  ASSERT_OK_AND_ASSIGN(const auto none, KeysOf({}, columns));
  EXPECT_THAT(none, ::testing::ElementsAre(dummy, dummy));
  const std::vector<Field> keys = {Key(kDummyJoinKey, ValueType::kString)};
  ASSERT_OK_AND_ASSIGN(const auto named, KeysOf(keys, columns));
  EXPECT_THAT(named, ::testing::ElementsAre(dummy, dummy));
  ASSERT_OK_AND_ASSIGN(const auto encoder, EntityKeyEncoder::Make(keys, 3, arrow::Schema({})));
  EXPECT_EQ(encoder->common_prefix_size(), dummy.size() / 2);
  BytesColumn out;
  const uint32_t rows[] = {1};
  ASSERT_OK(encoder->Append(*Batch(columns), rows, &out));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(Hex(out[0]), dummy);
}

TEST(EntityKeyEncoder, TakesEveryIntegerWidthAsInt64) {
  const struct {
    std::shared_ptr<arrow::DataType> type;
    const char* json;
    int64_t value;
  } cases[] = {
      {arrow::int8(), "[-128]", -128},
      {arrow::int16(), "[-32768]", -32768},
      {arrow::int32(), "[-2147483648]", -2147483648LL},
      {arrow::int64(), "[-9223372036854775808]", std::numeric_limits<int64_t>::min()},
      {arrow::uint8(), "[255]", 255},
      {arrow::uint16(), "[65535]", 65535},
      {arrow::uint32(), "[4294967295]", 4294967295LL},
      {arrow::uint64(), "[9223372036854775807]", std::numeric_limits<int64_t>::max()},
      {arrow::float64(), "[-9007199254740992.0]", -(1LL << 53)},
      {arrow::float32(), "[16777216.0]", 1 << 24},
      {arrow::boolean(), "[true]", 1},
      {arrow::utf8(), R"([" +12\n"])", 12},
      {arrow::large_utf8(), R"(["-9223372036854775808"])", std::numeric_limits<int64_t>::min()},
      {arrow::decimal128(20, 2), R"(["-12.00"])", -12},
      {arrow::timestamp(arrow::TimeUnit::SECOND), "[-5]", -5},
      {arrow::timestamp(arrow::TimeUnit::MILLI, "America/New_York"), "[-500]", -1},
      {arrow::timestamp(arrow::TimeUnit::MICRO), "[1999999]", 1},
      {arrow::timestamp(arrow::TimeUnit::NANO), "[-1000000000]", -1},
  };
  for (const auto& [type, json, value] : cases) {
    const auto keys = KeysOfColumn(ValueType::kInt64, type, json);
    ASSERT_OK(keys);
    EXPECT_THAT(*keys, ::testing::ElementsAre(Int64Hex(value))) << type->ToString();
  }
}

TEST(EntityKeyEncoder, WritesStringKeysAsPythonsStr) {
  const struct {
    std::shared_ptr<arrow::DataType> type;
    const char* json;
    std::string text;
  } cases[] = {
      {arrow::utf8(), R"([""])", ""},
      {arrow::utf8(), R"(["a\u0000"])", std::string("a\0", 2)},
      {arrow::large_utf8(), "[\"\u017c\"]", "\u017c"},
      {arrow::binary(), R"(["it's"])", "b\"it's\""},
      {arrow::large_binary(), R"(["a"])", "b'a'"},
      {arrow::fixed_size_binary(2), R"(["ab"])", "b'ab'"},
      {arrow::int8(), "[-1]", "-1"},
      {arrow::int16(), "[-300]", "-300"},
      {arrow::int32(), "[7]", "7"},
      {arrow::int64(), "[-9223372036854775808]", "-9223372036854775808"},
      {arrow::uint8(), "[200]", "200"},
      {arrow::uint16(), "[65535]", "65535"},
      {arrow::uint32(), "[4294967295]", "4294967295"},
      {arrow::uint64(), "[18446744073709551615]", "18446744073709551615"},
      {arrow::float64(), "[1]", "1.0"},
      {arrow::boolean(), "[true]", "True"},
      {arrow::boolean(), "[false]", "False"},
  };
  for (const auto& [type, json, text] : cases) {
    const auto keys = KeysOfColumn(ValueType::kString, type, json);
    ASSERT_OK(keys);
    EXPECT_THAT(*keys, ::testing::ElementsAre(TextHex(text))) << type->ToString();
  }
}

TEST(EntityKeyEncoder, CopiesBytesKeys) {
  for (const auto& type : {arrow::binary(), arrow::large_binary(), arrow::fixed_size_binary(1)}) {
    ASSERT_OK_AND_ASSIGN(const auto keys, KeysOfColumn(ValueType::kBytes, type, R"(["\u0000"])"));
    EXPECT_THAT(keys, ::testing::ElementsAre(K("010000000100000000")));
  }
}

TEST(EntityKeyEncoder, FloorsTimestampsToSeconds) {
  for (const auto& [unit, json] : {std::pair(arrow::TimeUnit::NANO, "[-1, 1999999999]"),
                                   std::pair(arrow::TimeUnit::MILLI, "[-1, 1999]")}) {
    ASSERT_OK_AND_ASSIGN(const auto keys,
                         KeysOfColumn(ValueType::kUnixTimestamp, arrow::timestamp(unit), json));
    EXPECT_THAT(keys, ::testing::ElementsAre(K("0800000008000000ffffffffffffffff"),
                                             K("08000000080000000100000000000000")));
  }
}

TEST(EntityKeyEncoder, DecodesDictionaries) {
  const auto text = arrow::json::DictArrayFromJSONString(
      arrow::dictionary(arrow::int8(), arrow::utf8()), "[1, 0, 1]", R"(["5", "77"])");
  ASSERT_OK_AND_ASSIGN(const auto array, text);
  ASSERT_OK_AND_ASSIGN(const auto strings, KeysOf({Key("k", ValueType::kString)}, {{"k", array}}));
  EXPECT_THAT(strings, ::testing::ElementsAre(TextHex("77"), TextHex("5"), TextHex("77")));
  ASSERT_OK_AND_ASSIGN(const auto numbers, KeysOf({Key("k", ValueType::kInt64)}, {{"k", array}}));
  EXPECT_THAT(numbers, ::testing::ElementsAre(Int64Hex(77), Int64Hex(5), Int64Hex(77)));
}

TEST(EntityKeyEncoder, RefusesADictionaryWordThatIsNull) {
  ASSERT_OK_AND_ASSIGN(const auto array, arrow::json::DictArrayFromJSONString(
                                             arrow::dictionary(arrow::int8(), arrow::utf8()),
                                             "[0, 1]", R"(["5", null])"));
  EXPECT_FAULT(Fault::kData, "null word", KeysOf({Key("k", ValueType::kString)}, {{"k", array}}));
}

// Every path against the one-row path: all rows, chosen rows, a slice, and an output that is not
// empty.
TEST(EntityKeyEncoder, AppendsTheSameKeysByRowAndByBatch) {
  const auto batch = Batch({{"a", Array(arrow::int64(), "[9, 1, null, 3, 4]")},
                            {"b", Array(arrow::utf8(), R"(["", "x", "yy", "zzz", "x"])")}});
  for (const std::vector<Field>& keys :
       {std::vector{Key("a", ValueType::kInt64)}, std::vector{Key("b", ValueType::kString)},
        std::vector{Key("b", ValueType::kString), Key("a", ValueType::kInt32)}}) {
    for (const auto& part : {batch->Slice(3), batch->Slice(0, 2), batch}) {
      ASSERT_OK_AND_ASSIGN(const auto encoder, EntityKeyEncoder::Make(keys, 3, *batch->schema()));
      std::vector<uint32_t> rows;
      for (int64_t row = part->num_rows() - 1; row >= 0; --row) {
        if (part->column(0)->IsValid(row)) rows.push_back(static_cast<uint32_t>(row));
      }
      BytesColumn chosen;
      ASSERT_OK(encoder->Append(*part, rows, &chosen));
      ASSERT_OK(encoder->Append(*part, {}, &chosen));
      ASSERT_EQ(chosen.size(), rows.size());
      BytesColumn all;
      if (rows.size() == static_cast<size_t>(part->num_rows())) {
        ASSERT_OK(encoder->AppendAll(*part, &all));
      }
      for (size_t i = 0; i < rows.size(); ++i) {
        BytesColumn one;
        ASSERT_OK(encoder->Append(*part, {&rows[i], 1}, &one));
        EXPECT_EQ(Hex(chosen[i]), Hex(one[0]));
        if (all.size() > 0) {
          EXPECT_EQ(Hex(all[rows[i]]), Hex(one[0]));
        }
        EXPECT_EQ(Hex(one[0].substr(0, encoder->common_prefix_size())),
                  Hex(chosen[0].substr(0, encoder->common_prefix_size())));
      }
    }
  }
}

// What follows the prefix, as a number, is the number: for every type of key and column.
TEST(EntityKeyEncoder, GivesKeysOfOneNumberAsNumbers) {
  const auto batch = Batch({{"a", Array(arrow::int64(), "[9, -1, null, 3]")},
                            {"b", Array(arrow::int16(), "[1, -2, 3, 4]")},
                            {"c", Array(arrow::timestamp(arrow::TimeUnit::MILLI), "[1, -1, 0, 7]")},
                            {"d", Array(arrow::utf8(), R"(["1", "-2", "3", "4"])")}});
  const std::vector<uint32_t> rows = {3, 1, 0};
  for (const Field& key :
       {Key("a", ValueType::kInt64), Key("b", ValueType::kInt32), Key("b", ValueType::kInt64),
        Key("c", ValueType::kUnixTimestamp), Key("d", ValueType::kInt32)}) {
    SCOPED_TRACE(key.name + std::string(NameOf(key.type)));
    ASSERT_OK_AND_ASSIGN(const auto encoder,
                         EntityKeyEncoder::Make({&key, 1}, 3, *batch->schema()));
    ASSERT_TRUE(encoder->has_numbers());
    BytesColumn bytes;
    ASSERT_OK(encoder->Append(*batch, rows, &bytes));
    std::vector<uint64_t> numbers = {77};
    ASSERT_OK(encoder->AppendNumbers(*batch, rows, &numbers));
    ASSERT_EQ(numbers.size(), 4u);
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string_view number = bytes[i].substr(encoder->common_prefix_size());
      EXPECT_EQ(std::memcmp(number.data(), &numbers[i + 1], number.size()), 0);
    }
    numbers.clear();
    ASSERT_OK(encoder->AppendNumbers(*batch->Slice(3), std::nullopt, &numbers));
    EXPECT_THAT(numbers, ::testing::SizeIs(1));
  }
}

TEST(EntityKeyEncoder, KeysOfTextOrOfSeveralValuesAreNoNumbers) {
  const arrow::Schema schema({arrow::field("k", arrow::int64()), arrow::field("t", arrow::utf8())});
  const auto has_numbers = [&](const std::vector<Field>& keys) {
    return EntityKeyEncoder::Make(keys, 3, schema).ValueOrDie()->has_numbers();
  };
  EXPECT_FALSE(has_numbers({Key("t", ValueType::kString)}));
  EXPECT_FALSE(has_numbers({Key("k", ValueType::kInt64), Key("t", ValueType::kInt64)}));
  EXPECT_TRUE(has_numbers({}));
}

TEST(EntityKeyEncoder, CountsAsPrefixWhatAllKeysShare) {
  const arrow::Schema schema({arrow::field("k", arrow::int64()), arrow::field("t", arrow::utf8())});
  const auto size = [&](const std::vector<Field>& keys, int version) {
    return EntityKeyEncoder::Make(keys, version, schema).ValueOrDie()->common_prefix_size();
  };
  // Count 4, name 4 + 4 + 1, value's type 4, its length 4.
  EXPECT_EQ(size({Key("k", ValueType::kInt64)}, 3), 21U);
  EXPECT_EQ(size({Key("k", ValueType::kInt64)}, 2), 13U);
  EXPECT_EQ(size({Key("t", ValueType::kString)}, 3), 17U);
  EXPECT_EQ(size({Key("t", ValueType::kString), Key("k", ValueType::kInt64)}, 3), 30U);
}

TEST(EntityKeyEncoder, AgreesWithKeysFromText) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(numbers.Append(static_cast<int64_t>(random())));
    ASSERT_OK(texts.Append(std::string(random() % 20, static_cast<char>('a' + random() % 26))));
  }
  const auto batch = Batch({{"n", *numbers.Finish()}, {"t", *texts.Finish()}});
  const std::vector<Field> keys = {Key("t", ValueType::kString), Key("n", ValueType::kInt64)};
  for (const int version : {2, 3}) {
    ASSERT_OK_AND_ASSIGN(const auto encoder,
                         EntityKeyEncoder::Make(keys, version, *batch->schema()));
    BytesColumn out;
    ASSERT_OK(encoder->AppendAll(*batch, &out));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const std::string values[] = {
          static_cast<const arrow::StringArray&>(*batch->column(1)).GetString(row),
          std::to_string(static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(row))};
      ASSERT_OK_AND_ASSIGN(const std::string key, SerializeEntityKey(keys, version, values));
      ASSERT_EQ(Hex(out[static_cast<size_t>(row)]), Hex(key));
    }
  }
}

TEST(EntityKeyEncoder, NamesColumnAndValueThatDoNotConvert) {
  const struct {
    ValueType key;
    std::shared_ptr<arrow::DataType> type;
    const char* json;
    const char* message;
  } cases[] = {
      {ValueType::kInt64, arrow::utf8(), R"(["abc"])", "INT64: column k (string), value abc"},
      {ValueType::kInt64, arrow::utf8(), R"([""])", "column k"},
      {ValueType::kInt64, arrow::utf8(), R"(["  "])", "column k"},
      {ValueType::kInt64, arrow::utf8(), R"(["+-5"])", "value +-5"},
      {ValueType::kInt64, arrow::utf8(), R"(["+"])", "value +"},
      {ValueType::kInt64, arrow::utf8(), R"(["1.5"])", "value 1.5"},
      {ValueType::kInt64, arrow::utf8(), R"(["9223372036854775808"])", "9223372036854775808"},
      {ValueType::kInt64, arrow::uint64(), "[9223372036854775808]", "9223372036854775808"},
      {ValueType::kInt64, arrow::float64(), "[1.5]", "value 1.5"},
      {ValueType::kInt64, arrow::float64(), "[NaN]", "value nan"},
      {ValueType::kInt64, arrow::float64(), "[Inf]", "value inf"},
      {ValueType::kInt64, arrow::float64(), "[9223372036854775808.0]", "column k"},
      {ValueType::kInt64, arrow::decimal128(5, 2), R"(["1.50"])", "value 1.50"},
      {ValueType::kInt64, arrow::decimal128(30, 0), R"(["9223372036854775808"])", "column k"},
      {ValueType::kInt32, arrow::int64(), "[2147483648]",
       "INT32: column k (int64), value 2147483648"},
      {ValueType::kInt32, arrow::float64(), "[-2147483649]", "column k"},
      {ValueType::kUnixTimestamp, arrow::utf8(), R"(["2024-01-01"])", "UNIX_TIMESTAMP"},
  };
  for (const auto& [key, type, json, message] : cases) {
    SCOPED_TRACE(json);
    EXPECT_FAULT(Fault::kData, message, KeysOfColumn(key, type, json));
  }
}

TEST(EntityKeyEncoder, LeavesNoHalfKeyBehindAfterAFailure) {
  const auto batch =
      Batch({{"a", Array(arrow::int64(), "[1, 1]")}, {"b", Array(arrow::utf8(), R"(["5", "x"])")}});
  const Field keys[] = {Key("a", ValueType::kInt64), Key("b", ValueType::kInt64)};
  ASSERT_OK_AND_ASSIGN(const auto encoder, EntityKeyEncoder::Make(keys, 3, *batch->schema()));
  BytesColumn out;
  EXPECT_FAULT(Fault::kData, "column b", encoder->AppendAll(*batch, &out));
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(out.data.size(), out.offsets.back());
}

TEST(EntityKeyEncoder, CallsANullThatWasNotFilteredABug) {
  EXPECT_FAULT(Fault::kBug, "column k, row 1",
               KeysOfColumn(ValueType::kInt64, arrow::int64(), "[1, null]"));
  EXPECT_FAULT(Fault::kBug, "column k", KeysOfColumn(ValueType::kString, arrow::null(), "[null]"));
}

TEST(EntityKeyEncoder, CallsABatchOfAnotherSchemaABug) {
  const Field key = Key("k", ValueType::kInt64);
  ASSERT_OK_AND_ASSIGN(
      const auto encoder,
      EntityKeyEncoder::Make({&key, 1}, 3, arrow::Schema({arrow::field("k", arrow::int64())})));
  BytesColumn out;
  EXPECT_FAULT(Fault::kBug, "another schema",
               encoder->AppendAll(*Batch({{"k", Array(arrow::int32(), "[1]")}}), &out));
  EXPECT_FAULT(Fault::kBug, "another schema", encoder->AppendAll(*Batch({}), &out));
}

TEST(EntityKeyEncoder, RefusesTypesThatFeastCannotUseAsKeys) {
  for (const ValueType type : {ValueType::kBool, ValueType::kDouble, ValueType::kUuid,
                               ValueType::kInt64List, ValueType::kUnknown}) {
    EXPECT_FAULT(Fault::kUser, "k", KeysOfColumn(type, arrow::int64(), "[1]"));
  }
}

TEST(EntityKeyEncoder, RefusesColumnsThatCannotBecomeTheKey) {
  const struct {
    ValueType key;
    std::shared_ptr<arrow::DataType> type;
  } cases[] = {
      {ValueType::kInt64, arrow::list(arrow::int64())},
      {ValueType::kInt64, arrow::binary()},
      {ValueType::kInt32, arrow::timestamp(arrow::TimeUnit::MICRO)},
      {ValueType::kUnixTimestamp, arrow::boolean()},
      {ValueType::kString, arrow::timestamp(arrow::TimeUnit::MICRO)},
      {ValueType::kBytes, arrow::utf8()},
      {ValueType::kBytes, arrow::dictionary(arrow::int8(), arrow::utf8())},
  };
  for (const auto& [key, type] : cases) {
    const Field field = Key("k", key);
    EXPECT_FAULT(Fault::kData, type->ToString(),
                 EntityKeyEncoder::Make({&field, 1}, 3, arrow::Schema({arrow::field("k", type)})));
  }
}

TEST(EntityKeyEncoder, RefusesOtherVersionsAndMissingColumns) {
  const std::vector<Column> columns = {{"k", Array(arrow::int64(), "[1]")}};
  for (const int version : {0, 1, 4}) {
    EXPECT_FAULT(Fault::kUser, "entity_key_serialization_version",
                 KeysOf({Key("k", ValueType::kInt64)}, columns, version));
    EXPECT_FAULT(Fault::kUser, "entity_key_serialization_version", KeysOf({}, columns, version));
  }
  EXPECT_FAULT(Fault::kUser, "missing in the source",
               KeysOf({Key("absent", ValueType::kInt64)}, columns));
}

Result<std::string> FromText(ValueType type, const std::string& text) {
  const Field key = Key("k", type);
  BANQUET_ASSIGN_OR_RETURN(const std::string bytes, SerializeEntityKey({&key, 1}, 3, {&text, 1}));
  return Hex(bytes);
}

TEST(SerializeEntityKey, TakesTextOfEveryKeyType) {
  const struct {
    ValueType type;
    const char* text;
    std::string hex;
  } cases[] = {
      {ValueType::kInt64, "-7", Int64Hex(-7)},
      {ValueType::kInt32, "1001", K("0300000004000000e9030000")},
      {ValueType::kString, "5", TextHex("5")},
      {ValueType::kBytes, "5", K("010000000100000035")},
      {ValueType::kUnixTimestamp, "1700000000", K("080000000800000000f1536500000000")},
      {ValueType::kUnixTimestamp, "2023-11-14T22:13:20.9Z", K("080000000800000000f1536500000000")},
      {ValueType::kUnixTimestamp, "1969-12-31T23:59:59.5+00:00",
       K("0800000008000000ffffffffffffffff")},
  };
  for (const auto& [type, text, hex] : cases) {
    SCOPED_TRACE(text);
    ASSERT_OK_AND_ASSIGN(const std::string key, FromText(type, text));
    EXPECT_EQ(key, hex);
  }
}

TEST(SerializeEntityKey, GivesTheEntitylessKey) {
  const Field dummy = Key(kDummyJoinKey, ValueType::kString);
  const std::string empty;
  ASSERT_OK_AND_ASSIGN(const std::string named, SerializeEntityKey({&dummy, 1}, 3, {&empty, 1}));
  ASSERT_OK_AND_ASSIGN(const std::string none, SerializeEntityKey({}, 3, {}));
  EXPECT_EQ(Hex(named), "01000000020000000a0000005f5f64756d6d795f69640200000000000000");
  EXPECT_EQ(named, none);
}

TEST(SerializeEntityKey, SaysWhatIsWrongWithTheText) {
  EXPECT_FAULT(Fault::kUser, "k=abc", FromText(ValueType::kInt64, "abc"));
  EXPECT_FAULT(Fault::kUser, "k=2147483648", FromText(ValueType::kInt32, "2147483648"));
  EXPECT_FAULT(Fault::kUser, "k=soon", FromText(ValueType::kUnixTimestamp, "soon"));
  EXPECT_FAULT(Fault::kUser, "cannot serialize", FromText(ValueType::kBool, "true"));
  const Field key = Key("k", ValueType::kInt64);
  EXPECT_FAULT(Fault::kUser, "1 keys, 0 values", SerializeEntityKey({&key, 1}, 3, {}));
  const std::string one = "1";
  EXPECT_FAULT(Fault::kUser, "version", SerializeEntityKey({&key, 1}, 1, {&one, 1}));
}

}  // namespace
}  // namespace banquet
