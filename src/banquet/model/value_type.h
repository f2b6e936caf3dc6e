#pragma once
// Feast's value types, as feast/types/Value.proto numbers them (feast-compat 4.7).

#include <optional>
#include <span>
#include <string_view>

namespace banquet {

// The number is Feast's ValueType.Enum and, except PDF_BYTES and IMAGE_BYTES (stored as bytes_val),
// the field number in feast.types.Value, save where `field` of the table says otherwise. Open: a
// registry may hold numbers unknown here.
enum class ValueType : int {
  kUnknown = 0,
  kBytes = 1,
  kString = 2,
  kInt32 = 3,
  kInt64 = 4,
  kDouble = 5,
  kFloat = 6,
  kBool = 7,
  kUnixTimestamp = 8,
  kBytesList = 11,
  kStringList = 12,
  kInt32List = 13,
  kInt64List = 14,
  kDoubleList = 15,
  kFloatList = 16,
  kBoolList = 17,
  kUnixTimestampList = 18,
  kMap = 20,
  kMapList = 21,
  kBytesSet = 22,
  kStringSet = 23,
  kInt32Set = 24,
  kInt64Set = 25,
  kDoubleSet = 26,
  kFloatSet = 27,
  kBoolSet = 28,
  kUnixTimestampSet = 29,
  kPdfBytes = 30,
  kImageBytes = 31,
  kJson = 32,
  kJsonList = 33,
  kStruct = 34,
  kStructList = 35,
  kUuid = 36,
  kTimeUuid = 37,
  kUuidList = 38,
  kTimeUuidList = 39,
  kUuidSet = 40,
  kTimeUuidSet = 41,
  kValueList = 42,
  kValueSet = 43,
  kDecimal = 44,
  kDecimalList = 45,
  kDecimalSet = 46,
  kScalarMap = 47,
  kZonedTimestamp = 48,
};

// How the elements of a collection are kept.
enum class ValueShape { kScalar, kList, kSet };

struct ValueTypeRow {
  ValueType type;
  std::string_view name;  // Feast's enum word: "INT64_LIST".
  int field;              // Field number in feast.types.Value.
  ValueShape shape;
  ValueType element;  // Of a list or set; the type itself for a scalar.
};

std::span<const ValueTypeRow> ValueTypes();
const ValueTypeRow* FindValueType(ValueType type);  // nullptr: unknown to this version.
std::optional<ValueType> ValueTypeOfName(std::string_view name);
std::string_view NameOf(ValueType type);  // "UNKNOWN" when not in the table.

}  // namespace banquet
