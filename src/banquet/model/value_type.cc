#include "banquet/model/value_type.h"

#include <algorithm>

namespace banquet {
namespace {

using enum ValueType;
constexpr ValueShape kS = ValueShape::kScalar;
constexpr ValueShape kL = ValueShape::kList;
constexpr ValueShape kSet = ValueShape::kSet;

constexpr ValueTypeRow kRows[] = {
    {kBytes, "BYTES", 1, kS, kBytes},
    {kString, "STRING", 2, kS, kString},
    {kInt32, "INT32", 3, kS, kInt32},
    {kInt64, "INT64", 4, kS, kInt64},
    {kDouble, "DOUBLE", 5, kS, kDouble},
    {kFloat, "FLOAT", 6, kS, kFloat},
    {kBool, "BOOL", 7, kS, kBool},
    {kUnixTimestamp, "UNIX_TIMESTAMP", 8, kS, kUnixTimestamp},
    {kBytesList, "BYTES_LIST", 11, kL, kBytes},
    {kStringList, "STRING_LIST", 12, kL, kString},
    {kInt32List, "INT32_LIST", 13, kL, kInt32},
    {kInt64List, "INT64_LIST", 14, kL, kInt64},
    {kDoubleList, "DOUBLE_LIST", 15, kL, kDouble},
    {kFloatList, "FLOAT_LIST", 16, kL, kFloat},
    {kBoolList, "BOOL_LIST", 17, kL, kBool},
    {kUnixTimestampList, "UNIX_TIMESTAMP_LIST", 18, kL, kUnixTimestamp},
    {kMap, "MAP", 20, kS, kMap},
    {kMapList, "MAP_LIST", 21, kL, kMap},
    {kBytesSet, "BYTES_SET", 22, kSet, kBytes},
    {kStringSet, "STRING_SET", 23, kSet, kString},
    {kInt32Set, "INT32_SET", 24, kSet, kInt32},
    {kInt64Set, "INT64_SET", 25, kSet, kInt64},
    {kDoubleSet, "DOUBLE_SET", 26, kSet, kDouble},
    {kFloatSet, "FLOAT_SET", 27, kSet, kFloat},
    {kBoolSet, "BOOL_SET", 28, kSet, kBool},
    {kUnixTimestampSet, "UNIX_TIMESTAMP_SET", 29, kSet, kUnixTimestamp},
    {kPdfBytes, "PDF_BYTES", 1, kS, kBytes},
    {kImageBytes, "IMAGE_BYTES", 1, kS, kBytes},
    {kJson, "JSON", 32, kS, kJson},
    {kJsonList, "JSON_LIST", 33, kL, kJson},
    {kStruct, "STRUCT", 34, kS, kStruct},
    {kStructList, "STRUCT_LIST", 35, kL, kStruct},
    {kUuid, "UUID", 36, kS, kUuid},
    {kTimeUuid, "TIME_UUID", 37, kS, kTimeUuid},
    {kUuidList, "UUID_LIST", 38, kL, kUuid},
    {kTimeUuidList, "TIME_UUID_LIST", 39, kL, kTimeUuid},
    {kUuidSet, "UUID_SET", 40, kSet, kUuid},
    {kTimeUuidSet, "TIME_UUID_SET", 41, kSet, kTimeUuid},
    {kValueList, "VALUE_LIST", 42, kL, kUnknown},
    {kValueSet, "VALUE_SET", 43, kSet, kUnknown},
    {kDecimal, "DECIMAL", 44, kS, kDecimal},
    {kDecimalList, "DECIMAL_LIST", 45, kL, kDecimal},
    {kDecimalSet, "DECIMAL_SET", 46, kSet, kDecimal},
    {kScalarMap, "SCALAR_MAP", 47, kS, kScalarMap},
    {kZonedTimestamp, "ZONED_TIMESTAMP", 48, kS, kZonedTimestamp},
};

}  // namespace

std::span<const ValueTypeRow> ValueTypes() { return kRows; }

const ValueTypeRow* FindValueType(ValueType type) {
  const auto row = std::ranges::find(kRows, type, &ValueTypeRow::type);
  return row == std::end(kRows) ? nullptr : row;
}

std::optional<ValueType> ValueTypeOfName(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, &ValueTypeRow::name);
  if (row == std::end(kRows)) return std::nullopt;
  return row->type;
}

std::string_view NameOf(ValueType type) {
  const ValueTypeRow* row = FindValueType(type);
  return row == nullptr ? "UNKNOWN" : row->name;
}

}  // namespace banquet
