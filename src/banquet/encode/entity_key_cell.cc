#include "banquet/encode/entity_key_cell.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "arrow/array.h"
#include "arrow/type.h"
#include "arrow/util/decimal.h"
#include "banquet/encode/python_text.h"

namespace banquet {
namespace {

constexpr uint32_t kInt32Bytes = 4;
constexpr uint32_t kInt64Bytes = 8;

// Type, length and bytes of a whole number.
template <ValueType kType>
bool AppendNumber(int64_t value, std::string* out) {
  constexpr uint32_t kBytes = kType == ValueType::kInt32 ? kInt32Bytes : kInt64Bytes;
  if (kType == ValueType::kInt32 && value != static_cast<int32_t>(value)) return false;
  char bytes[kKeyValueHeaderBytes + kBytes];
  StoreLittleEndian(static_cast<uint32_t>(kType), bytes);
  StoreLittleEndian(kBytes, bytes + 4);
  if constexpr (kType == ValueType::kInt32) {
    StoreLittleEndian(static_cast<uint32_t>(value), bytes + kKeyValueHeaderBytes);
  } else {
    StoreLittleEndian(static_cast<uint64_t>(value), bytes + kKeyValueHeaderBytes);
  }
  out->append(bytes, sizeof(bytes));
  return true;
}

// Type, length and whatever `append` writes.
template <typename Append>
bool AppendSized(ValueType type, std::string* out, Append append) {
  AppendLittleEndian32(static_cast<uint32_t>(type), out);
  const size_t length_at = out->size();
  AppendLittleEndian32(0, out);
  append(out);
  const size_t length = out->size() - length_at - 4;
  if (length > std::numeric_limits<uint32_t>::max()) return false;
  StoreLittleEndian(static_cast<uint32_t>(length), out->data() + length_at);
  return true;
}

// Each reader gives the number in a cell, or false if it is none.
template <typename Array>
struct IntegerCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    const auto cell = static_cast<const Array&>(values).Value(row);
    *value = static_cast<int64_t>(cell);
    return std::in_range<int64_t>(cell);
  }
};

struct BoolCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    *value = static_cast<const arrow::BooleanArray&>(values).Value(row) ? 1 : 0;
    return true;
  }
};

// pandas turns nullable integers into floats, so a whole one is an integer that went through it.
template <typename Array>
struct FloatCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    const double cell = static_cast<const Array&>(values).Value(row);
    if (!(cell >= -0x1p63 && cell < 0x1p63) || cell != std::trunc(cell)) return false;
    *value = static_cast<int64_t>(cell);
    return true;
  }
};

template <typename Array>
struct TextCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    return ParseWholeNumber(static_cast<const Array&>(values).GetView(row), value);
  }
};

struct DecimalCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    const auto& type = static_cast<const arrow::Decimal128Type&>(*values.type());
    const arrow::Decimal128 cell(static_cast<const arrow::Decimal128Array&>(values).GetValue(row));
    const auto whole = cell.Rescale(type.scale(), 0);
    return whole.ok() && whole->ToInteger(value).ok();
  }
};

struct TimestampCell {
  static bool Read(const arrow::Array& values, int64_t row, int64_t* value) {
    const auto& type = static_cast<const arrow::TimestampType&>(*values.type());
    *value = FloorToSeconds(static_cast<const arrow::TimestampArray&>(values).Value(row),
                            TicksPerSecond(type.unit()));
    return true;
  }
  static int64_t TicksPerSecond(arrow::TimeUnit::type unit) {
    switch (unit) {
      case arrow::TimeUnit::SECOND:
        return 1;
      case arrow::TimeUnit::MILLI:
        return 1000;
      case arrow::TimeUnit::MICRO:
        return 1'000'000;
      case arrow::TimeUnit::NANO:
        return 1'000'000'000;
    }
    return 1;
  }
};

template <ValueType kType, typename Cell>
bool AppendNumberCell(const arrow::Array& values, int64_t row, std::string* out) {
  int64_t value = 0;
  return Cell::Read(values, row, &value) && AppendNumber<kType>(value, out);
}

template <ValueType kType>
KeyCellAppender NumberAppender(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return AppendNumberCell<kType, IntegerCell<arrow::Int8Array>>;
    case arrow::Type::INT16:
      return AppendNumberCell<kType, IntegerCell<arrow::Int16Array>>;
    case arrow::Type::INT32:
      return AppendNumberCell<kType, IntegerCell<arrow::Int32Array>>;
    case arrow::Type::INT64:
      return AppendNumberCell<kType, IntegerCell<arrow::Int64Array>>;
    case arrow::Type::UINT8:
      return AppendNumberCell<kType, IntegerCell<arrow::UInt8Array>>;
    case arrow::Type::UINT16:
      return AppendNumberCell<kType, IntegerCell<arrow::UInt16Array>>;
    case arrow::Type::UINT32:
      return AppendNumberCell<kType, IntegerCell<arrow::UInt32Array>>;
    case arrow::Type::UINT64:
      return AppendNumberCell<kType, IntegerCell<arrow::UInt64Array>>;
    case arrow::Type::FLOAT:
      return AppendNumberCell<kType, FloatCell<arrow::FloatArray>>;
    case arrow::Type::DOUBLE:
      return AppendNumberCell<kType, FloatCell<arrow::DoubleArray>>;
    case arrow::Type::STRING:
      return AppendNumberCell<kType, TextCell<arrow::StringArray>>;
    case arrow::Type::LARGE_STRING:
      return AppendNumberCell<kType, TextCell<arrow::LargeStringArray>>;
    case arrow::Type::DECIMAL128:
      return AppendNumberCell<kType, DecimalCell>;
    case arrow::Type::BOOL:
      return kType == ValueType::kUnixTimestamp ? nullptr : AppendNumberCell<kType, BoolCell>;
    case arrow::Type::TIMESTAMP:
      return kType == ValueType::kInt32 ? nullptr : AppendNumberCell<kType, TimestampCell>;
    default:
      return nullptr;
  }
}

template <typename Array, ValueType kType>
bool AppendBytesCell(const arrow::Array& values, int64_t row, std::string* out) {
  return AppendKeyText(kType, static_cast<const Array&>(values).GetView(row), out);
}

// Python's str() of numbers.
template <typename Array>
bool AppendNumberText(const arrow::Array& values, int64_t row, std::string* out) {
  return AppendSized(ValueType::kString, out, [&](std::string* bytes) {
    const auto cell = static_cast<const Array&>(values).Value(row);
    if constexpr (std::is_same_v<decltype(cell), const bool>) {
      AppendPythonBool(cell, bytes);
    } else if constexpr (std::is_floating_point_v<decltype(cell)>) {
      AppendPythonFloat(cell, bytes);
    } else {
      AppendPythonInt(cell, bytes);
    }
  });
}

// Python's str() of bytes: "b'..'".
template <typename Array>
bool AppendBytesText(const arrow::Array& values, int64_t row, std::string* out) {
  return AppendSized(ValueType::kString, out, [&](std::string* bytes) {
    AppendPythonBytes(static_cast<const Array&>(values).GetView(row), bytes);
  });
}

KeyCellAppender StringAppender(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
      return AppendBytesCell<arrow::StringArray, ValueType::kString>;
    case arrow::Type::LARGE_STRING:
      return AppendBytesCell<arrow::LargeStringArray, ValueType::kString>;
    case arrow::Type::BINARY:
      return AppendBytesText<arrow::BinaryArray>;
    case arrow::Type::LARGE_BINARY:
      return AppendBytesText<arrow::LargeBinaryArray>;
    case arrow::Type::FIXED_SIZE_BINARY:
      return AppendBytesText<arrow::FixedSizeBinaryArray>;
    case arrow::Type::INT8:
      return AppendNumberText<arrow::Int8Array>;
    case arrow::Type::INT16:
      return AppendNumberText<arrow::Int16Array>;
    case arrow::Type::INT32:
      return AppendNumberText<arrow::Int32Array>;
    case arrow::Type::INT64:
      return AppendNumberText<arrow::Int64Array>;
    case arrow::Type::UINT8:
      return AppendNumberText<arrow::UInt8Array>;
    case arrow::Type::UINT16:
      return AppendNumberText<arrow::UInt16Array>;
    case arrow::Type::UINT32:
      return AppendNumberText<arrow::UInt32Array>;
    case arrow::Type::UINT64:
      return AppendNumberText<arrow::UInt64Array>;
    case arrow::Type::DOUBLE:
      return AppendNumberText<arrow::DoubleArray>;
    case arrow::Type::BOOL:
      return AppendNumberText<arrow::BooleanArray>;
    default:
      return nullptr;
  }
}

KeyCellAppender BytesAppender(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BINARY:
      return AppendBytesCell<arrow::BinaryArray, ValueType::kBytes>;
    case arrow::Type::LARGE_BINARY:
      return AppendBytesCell<arrow::LargeBinaryArray, ValueType::kBytes>;
    case arrow::Type::FIXED_SIZE_BINARY:
      return AppendBytesCell<arrow::FixedSizeBinaryArray, ValueType::kBytes>;
    default:
      return nullptr;
  }
}

// A column without values: every row is null, so the caller filters all of them.
bool RefuseCell(const arrow::Array&, int64_t, std::string*) { return false; }

}  // namespace

void AppendLittleEndian32(uint32_t value, std::string* out) {
  char bytes[4];
  StoreLittleEndian(value, bytes);
  out->append(bytes, sizeof(bytes));
}

bool AppendKeyNumber(ValueType type, int64_t value, std::string* out) {
  switch (type) {
    case ValueType::kInt32:
      return AppendNumber<ValueType::kInt32>(value, out);
    case ValueType::kInt64:
      return AppendNumber<ValueType::kInt64>(value, out);
    case ValueType::kUnixTimestamp:
      return AppendNumber<ValueType::kUnixTimestamp>(value, out);
    default:
      return false;
  }
}

bool AppendKeyText(ValueType type, std::string_view text, std::string* out) {
  return AppendSized(type, out, [&](std::string* bytes) { bytes->append(text); });
}

bool ParseWholeNumber(std::string_view text, int64_t* value) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.empty() || text.front() == '-') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

int64_t FloorToSeconds(int64_t ticks, int64_t ticks_per_second) {
  return ticks / ticks_per_second - (ticks % ticks_per_second < 0 ? 1 : 0);
}

KeyCellAppender ChooseKeyCellAppender(ValueType key, const arrow::DataType& type) {
  if (type.id() == arrow::Type::NA) return RefuseCell;
  switch (key) {
    case ValueType::kInt32:
      return NumberAppender<ValueType::kInt32>(type);
    case ValueType::kInt64:
      return NumberAppender<ValueType::kInt64>(type);
    case ValueType::kUnixTimestamp:
      return NumberAppender<ValueType::kUnixTimestamp>(type);
    case ValueType::kString:
      return StringAppender(type);
    case ValueType::kBytes:
      return BytesAppender(type);
    default:
      return nullptr;
  }
}

}  // namespace banquet
