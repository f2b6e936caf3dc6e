#pragma once
// What becomes of a cell under each scalar Feast type: the table of feast-compat section 4.7, one
// struct per type and one overload per kind of cell. A kind without an overload can never convert
// and is refused before a row is read.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/wire.h"

namespace banquet {

enum class Outcome { kSet, kUnset, kOutOfRange, kNotFinite, kNotInteger, kNotNumber, kNotUuid };

// "is out of range", "is no integer", …; for failures only.
std::string_view ReasonOf(Outcome outcome);

// Python's int(text) and float(text): white space around, "_" between digits, and for floats "inf"
// and "nan".
Outcome ParsePythonInt(std::string_view text, int64_t* value);
Outcome ParsePythonFloat(std::string_view text, double* value);

// The number as text, cut off. Every cell can be shown in a message.
std::string ShowCell(const FlagCell& cell);
std::string ShowCell(const IntCell& cell);
std::string ShowCell(const UIntCell& cell);
std::string ShowCell(const HalfCell& cell);
std::string ShowCell(const FloatCell& cell);
std::string ShowCell(const DoubleCell& cell);
std::string ShowCell(const TextCell& cell);
std::string ShowCell(const BytesCell& cell);
std::string ShowCell(const DecimalCell& cell);
std::string ShowCell(const InstantCell& cell);
std::string ShowCell(const DateCell& cell);

inline constexpr int64_t kNullTimestamp = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kSecondsPerDay = 86'400;

template <typename Cell>
concept RealCell = requires(const Cell& cell) {
  cell.Real();
};
template <typename Cell, typename... Cells>
concept OneOf = (std::is_same_v<Cell, Cells> || ...);

// Every rule has
//   Value          what is put on the wire; std::string_view may point into `scratch` or the cell;
//   kWire          how;
//   From           (cell, scratch, value) -> Outcome;
//   kElement<Cell> whether lists of such cells are taken: Feast takes fewer than for scalars, since
//   truncating or
//                  printing each element is rather a mistake in the schema;
//   kNullElement   what a null inside a list becomes.

template <typename Number>
struct IntRule {
  using Value = int64_t;
  static constexpr WireType kWire = WireType::kVarint;
  static constexpr Value kNullElement = 0;
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, IntCell, UIntCell>;

  static Outcome Fit(int64_t number, Value* value) {
    *value = number;
    if (number < std::numeric_limits<Number>::min() || number > std::numeric_limits<Number>::max())
      return Outcome::kOutOfRange;
    return Outcome::kSet;
  }
  static Outcome FromReal(double real, Value* value) {  // Truncates toward zero.
    if (std::isnan(real)) return Outcome::kUnset;
    if (std::isinf(real)) return Outcome::kNotFinite;
    if (!(real >= -0x1p63 && real < 0x1p63)) return Outcome::kOutOfRange;
    return Fit(static_cast<int64_t>(real), value);
  }
  static Outcome From(const IntCell& cell, std::string*, Value* value) {
    return Fit(cell.value, value);
  }
  static Outcome From(const UIntCell& cell, std::string*, Value* value) {
    if (cell.value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return Outcome::kOutOfRange;
    return Fit(static_cast<int64_t>(cell.value), value);
  }
  static Outcome From(const FlagCell& cell, std::string*, Value* value) {
    return Fit(cell.value ? 1 : 0, value);
  }
  static Outcome From(const RealCell auto& cell, std::string*, Value* value) {
    return FromReal(cell.Real(), value);
  }
  static Outcome FromText(std::string_view text, Value* value) {
    const Outcome outcome = ParsePythonInt(text, value);
    return outcome == Outcome::kSet ? Fit(*value, value) : outcome;
  }
  static Outcome From(const TextCell& cell, std::string*, Value* value) {
    return FromText(cell.value, value);
  }
  static Outcome From(const BytesCell& cell, std::string*, Value* value) {
    return FromText(cell.value, value);
  }
  static Outcome From(const DecimalCell& cell, std::string*, Value* value) {
    // Without exponent, what stands before the point is the truncated number.
    if (cell.value.find('E') == std::string::npos) {
      const std::string_view digits = std::string_view(cell.value).substr(0, cell.value.find('.'));
      return FromText(digits, value);
    }
    double real = 0;
    const Outcome outcome = ParsePythonFloat(cell.value, &real);
    return outcome == Outcome::kSet ? FromReal(real, value) : outcome;
  }
  static Outcome From(const InstantCell& cell, std::string*, Value* value) {
    return Fit(cell.Seconds(), value);
  }
};

// DOUBLE and FLOAT. A value too great for FLOAT becomes infinite, as in Feast.
template <typename Number>
struct RealRule {
  using Value = Number;
  static constexpr WireType kWire = sizeof(Number) == 8 ? WireType::kFixed64 : WireType::kFixed32;
  static constexpr Value kNullElement = std::numeric_limits<Number>::quiet_NaN();
  template <typename Cell>
  static constexpr bool kElement = RealCell<Cell> || OneOf<Cell, IntCell, UIntCell, DecimalCell>;

  static Outcome Fit(double real, Value* value) {
    *value = static_cast<Number>(real);
    return Outcome::kSet;
  }
  static Outcome From(const RealCell auto& cell, std::string*, Value* value) {
    return Fit(cell.Real(), value);
  }
  static Outcome From(const IntCell& cell, std::string*, Value* value) {
    return Fit(static_cast<double>(cell.value), value);
  }
  static Outcome From(const UIntCell& cell, std::string*, Value* value) {
    return Fit(static_cast<double>(cell.value), value);
  }
  static Outcome From(const FlagCell& cell, std::string*, Value* value) {
    return Fit(cell.value ? 1.0 : 0.0, value);
  }
  static Outcome FromText(std::string_view text, Value* value) {
    double real = 0;
    const Outcome outcome = ParsePythonFloat(text, &real);
    return outcome == Outcome::kSet ? Fit(real, value) : outcome;
  }
  static Outcome From(const TextCell& cell, std::string*, Value* value) {
    return FromText(cell.value, value);
  }
  static Outcome From(const DecimalCell& cell, std::string*, Value* value) {
    return FromText(cell.value, value);
  }
};

struct BoolRule {
  using Value = bool;
  static constexpr WireType kWire = WireType::kVarint;
  static constexpr Value kNullElement = false;
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, FlagCell>;

  static Outcome From(const FlagCell& cell, std::string*, Value* value) {
    *value = cell.value;
    return Outcome::kSet;
  }
  static Outcome From(const IntCell& cell, std::string*, Value* value) {
    *value = cell.value != 0;
    return Outcome::kSet;
  }
  static Outcome From(const UIntCell& cell, std::string*, Value* value) {
    *value = cell.value != 0;
    return Outcome::kSet;
  }
};

// Whole seconds since the epoch, floored. Numbers are seconds already.
struct UnixTimestampRule {
  using Value = int64_t;
  static constexpr WireType kWire = WireType::kVarint;
  static constexpr Value kNullElement = kNullTimestamp;
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, InstantCell, DateCell, IntCell, UIntCell>;

  static Outcome From(const InstantCell& cell, std::string*, Value* value) {
    *value = cell.Seconds();
    return Outcome::kSet;
  }
  static Outcome From(const DateCell& cell, std::string*, Value* value) {
    *value = cell.days * kSecondsPerDay;
    return Outcome::kSet;
  }
  static Outcome From(const RealCell auto& cell, std::string*, Value* value) {
    return IntRule<int64_t>::FromReal(std::floor(cell.Real()), value);
  }
  static Outcome From(const OneOf<IntCell, UIntCell, TextCell> auto& cell, std::string* scratch,
                      Value* value) {
    return IntRule<int64_t>::From(cell, scratch, value);
  }
};

struct BytesRule {
  using Value = std::string_view;
  static constexpr WireType kWire = WireType::kBytes;
  static constexpr Value kNullElement = {};
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, BytesCell>;

  static Outcome From(const BytesCell& cell, std::string*, Value* value) {
    *value = cell.value;
    return Outcome::kSet;
  }
};

// Python's str() of anything. NaN is a null, as everywhere in Feast.
struct StringRule {
  using Value = std::string_view;
  static constexpr WireType kWire = WireType::kBytes;
  static constexpr Value kNullElement = {};
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, TextCell>;

  static Outcome From(const TextCell& cell, std::string*, Value* value) {
    *value = cell.value;
    return Outcome::kSet;
  }
  static Outcome From(const DecimalCell& cell, std::string*, Value* value) {
    *value = cell.value;
    return Outcome::kSet;
  }
  static Outcome From(const FlagCell& cell, std::string*, Value* value) {
    *value = cell.value ? "True" : "False";
    return Outcome::kSet;
  }
  static Outcome From(const IntCell& cell, std::string* scratch, Value* value);
  static Outcome From(const UIntCell& cell, std::string* scratch, Value* value);
  static Outcome From(const HalfCell& cell, std::string* scratch, Value* value);
  static Outcome From(const FloatCell& cell, std::string* scratch, Value* value);
  static Outcome From(const DoubleCell& cell, std::string* scratch, Value* value);
  static Outcome From(const BytesCell& cell, std::string* scratch, Value* value);  // b'..'
  // numpy's str(datetime64): all digits of the unit, no zone.
  static Outcome From(const InstantCell& cell, std::string* scratch, Value* value);
  static Outcome From(const DateCell& cell, std::string* scratch, Value* value);
};

// Text as it is; 16 bytes as the canonical text.
struct UuidRule {
  using Value = std::string_view;
  static constexpr WireType kWire = WireType::kBytes;
  static constexpr Value kNullElement = {};
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, TextCell, BytesCell>;

  static Outcome From(const TextCell& cell, std::string*, Value* value) {
    *value = cell.value;
    return Outcome::kSet;
  }
  static Outcome From(const BytesCell& cell, std::string* scratch, Value* value);
};

// str(Decimal), which keeps the scale. Text as it is.
struct DecimalRule {
  using Value = std::string_view;
  static constexpr WireType kWire = WireType::kBytes;
  static constexpr Value kNullElement = {};
  template <typename Cell>
  static constexpr bool kElement = OneOf<Cell, DecimalCell, TextCell, IntCell, UIntCell>;

  static Outcome From(const OneOf<TextCell, DecimalCell, IntCell, UIntCell, HalfCell, FloatCell,
                                  DoubleCell> auto& cell,
                      std::string* scratch, Value* value) {
    return StringRule::From(cell, scratch, value);
  }
};

template <typename Rule, typename Cell>
concept Converts = requires(const Cell& cell, std::string* scratch, typename Rule::Value* value) {
  Rule::From(cell, scratch, value);
};

}  // namespace banquet
