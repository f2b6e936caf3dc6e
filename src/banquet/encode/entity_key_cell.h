#pragma once
// One value of an entity key: its bytes (feast-compat 5.1), and how a cell of an Arrow column
// becomes them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arrow/type_fwd.h"
#include "banquet/model/value_type.h"

namespace banquet {

inline constexpr size_t kKeyValueHeaderBytes = 8;  // Type and length before a value.

// Appends type, length and value. False: the number does not fit (INT32), or the text has 4 GiB.
bool AppendKeyNumber(ValueType type, int64_t value, std::string* out);
bool AppendKeyText(ValueType type, std::string_view text, std::string* out);

void AppendLittleEndian32(uint32_t value, std::string* out);
template <typename T>
void StoreLittleEndian(T value, char* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(value >> (8 * i));
}

// What Python's int() takes: surrounding blanks and a sign; but no underscores.
bool ParseWholeNumber(std::string_view text, int64_t* value);

// Floored: -0.5 s is second -1.
int64_t FloorToSeconds(int64_t ticks, int64_t ticks_per_second);

// Appends type, length and value of one cell that is not null; false if the value does not convert.
using KeyCellAppender = bool (*)(const arrow::Array& values, int64_t row, std::string* out);

// The appender for cells of this type (of a dictionary: of its words) under a key of that type;
// nullptr if none of its values can become the key's.
KeyCellAppender ChooseKeyCellAppender(ValueType key, const arrow::DataType& type);

}  // namespace banquet
