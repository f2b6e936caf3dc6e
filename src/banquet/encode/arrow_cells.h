#pragma once
// One cell of an Arrow column as a small typed value, so that the rules of value_rules.h say what
// becomes of it by overloading, and nothing converts by accident.

#include <cstdint>
#include <string>
#include <string_view>

#include "arrow/array.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"
#include "arrow/util/float16.h"

namespace banquet {

struct FlagCell {
  bool value;
};
struct IntCell {
  int64_t value;
};
struct UIntCell {  // Of uint64 columns only; the narrower ones fit IntCell.
  uint64_t value;
};
struct HalfCell {
  uint16_t bits;
  double Real() const { return arrow::util::Float16::FromBits(bits).ToDouble(); }
};
struct FloatCell {
  float value;
  double Real() const { return static_cast<double>(value); }
};
struct DoubleCell {
  double value;
  double Real() const { return value; }
};
struct TextCell {  // UTF-8.
  std::string_view value;
};
struct BytesCell {
  std::string_view value;
};
struct DecimalCell {
  std::string value;  // As Python's str(Decimal).
};
struct InstantCell {
  int64_t value;
  int64_t units_per_second;
  int64_t Seconds() const {  // Floored.
    const int64_t quotient = value / units_per_second;
    return value % units_per_second < 0 ? quotient - 1 : quotient;
  }
};
struct DateCell {
  int64_t days;
};

inline int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return 1'000'000'000;
}

// Reads the cells of one array that are not null; minds the array's offset. Borrows the array.
template <typename ArrayType>
class CellReader {
 public:
  explicit CellReader(const arrow::Array& array)
      : array_(arrow::internal::checked_cast<const ArrayType&>(array)) {
    if constexpr (kIsInstant) {
      using arrow::internal::checked_cast;
      units_ = UnitsPerSecond(checked_cast<const arrow::TimestampType&>(*array.type()).unit());
    }
  }

  auto operator[](int64_t i) const {
    using Type = typename ArrayType::TypeClass;
    if constexpr (arrow::is_boolean_type<Type>::value) {
      return FlagCell{array_.Value(i)};
    } else if constexpr (std::is_same_v<Type, arrow::UInt64Type>) {
      return UIntCell{array_.Value(i)};
    } else if constexpr (arrow::is_integer_type<Type>::value) {
      return IntCell{static_cast<int64_t>(array_.Value(i))};
    } else if constexpr (std::is_same_v<Type, arrow::HalfFloatType>) {
      return HalfCell{array_.Value(i)};
    } else if constexpr (std::is_same_v<Type, arrow::FloatType>) {
      return FloatCell{array_.Value(i)};
    } else if constexpr (std::is_same_v<Type, arrow::DoubleType>) {
      return DoubleCell{array_.Value(i)};
    } else if constexpr (arrow::is_decimal_type<Type>::value) {
      return DecimalCell{array_.FormatValue(i)};
    } else if constexpr (arrow::is_string_type<Type>::value) {
      return TextCell{array_.GetView(i)};
    } else if constexpr (kIsInstant) {
      return InstantCell{array_.Value(i), units_};
    } else if constexpr (std::is_same_v<Type, arrow::Date32Type>) {
      return DateCell{array_.Value(i)};
    } else if constexpr (std::is_same_v<Type, arrow::Date64Type>) {
      return DateCell{InstantCell{array_.Value(i), 86'400'000}.Seconds()};
    } else {
      return BytesCell{array_.GetView(i)};
    }
  }

 private:
  static constexpr bool kIsInstant =
      std::is_same_v<typename ArrayType::TypeClass, arrow::TimestampType>;
  const ArrayType& array_;
  int64_t units_ = 1;
};

template <typename ArrayType>
using CellOf = decltype(std::declval<const CellReader<ArrayType>&>()[0]);

// Calls `visit` with a null pointer to the array class that scalar type `id` has, as a template
// argument carrier; returns what it returns, or `otherwise` for types that have no cells (nested,
// time, duration, interval).
template <typename Visit, typename Outcome>
Outcome VisitScalarArray(arrow::Type::type id, Visit&& visit, Outcome otherwise) {
  switch (id) {
#define BANQUET_SCALAR_ARRAY(name, array) \
  case arrow::Type::name:                 \
    return visit(static_cast<const arrow::array*>(nullptr));
    BANQUET_SCALAR_ARRAY(BOOL, BooleanArray)
    BANQUET_SCALAR_ARRAY(INT8, Int8Array)
    BANQUET_SCALAR_ARRAY(INT16, Int16Array)
    BANQUET_SCALAR_ARRAY(INT32, Int32Array)
    BANQUET_SCALAR_ARRAY(INT64, Int64Array)
    BANQUET_SCALAR_ARRAY(UINT8, UInt8Array)
    BANQUET_SCALAR_ARRAY(UINT16, UInt16Array)
    BANQUET_SCALAR_ARRAY(UINT32, UInt32Array)
    BANQUET_SCALAR_ARRAY(UINT64, UInt64Array)
    BANQUET_SCALAR_ARRAY(HALF_FLOAT, HalfFloatArray)
    BANQUET_SCALAR_ARRAY(FLOAT, FloatArray)
    BANQUET_SCALAR_ARRAY(DOUBLE, DoubleArray)
    BANQUET_SCALAR_ARRAY(STRING, StringArray)
    BANQUET_SCALAR_ARRAY(LARGE_STRING, LargeStringArray)
    BANQUET_SCALAR_ARRAY(BINARY, BinaryArray)
    BANQUET_SCALAR_ARRAY(LARGE_BINARY, LargeBinaryArray)
    BANQUET_SCALAR_ARRAY(FIXED_SIZE_BINARY, FixedSizeBinaryArray)
    BANQUET_SCALAR_ARRAY(DECIMAL128, Decimal128Array)
    BANQUET_SCALAR_ARRAY(DECIMAL256, Decimal256Array)
    BANQUET_SCALAR_ARRAY(TIMESTAMP, TimestampArray)
    BANQUET_SCALAR_ARRAY(DATE32, Date32Array)
    BANQUET_SCALAR_ARRAY(DATE64, Date64Array)
#undef BANQUET_SCALAR_ARRAY
    default:
      return otherwise;
  }
}

}  // namespace banquet
