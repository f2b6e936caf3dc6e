#include "banquet/base/option_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <string>

namespace banquet {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr Unit kByteUnits[] = {{"", 1},
                               {"B", 1},
                               {"kB", 1'000},
                               {"KB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"TB", 1'000'000'000'000},
                               {"KiB", int64_t{1} << 10},
                               {"MiB", int64_t{1} << 20},
                               {"GiB", int64_t{1} << 30},
                               {"TiB", int64_t{1} << 40}};
constexpr Unit kTimeUnits[] = {{"", 1'000},   {"ms", 1},        {"s", 1'000},
                               {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

template <typename Number>
bool ReadWhole(std::string_view text, Number* number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// A number without sign and one of the units; rounds what is finer than the smallest unit.
std::optional<int64_t> ReadQuantity(std::string_view text, std::span<const Unit> units) {
  size_t digits = 0;
  while (digits < text.size() && (IsDigit(text[digits]) || text[digits] == '.')) ++digits;
  std::string_view name = text.substr(digits);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  const std::string_view number = text.substr(0, digits);
  if (number.empty() || !IsDigit(number.front()) || !IsDigit(number.back())) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number.find('.') == std::string_view::npos) {
      int64_t whole = 0;
      int64_t product = 0;
      if (!ReadWhole(number, &whole, 10)) return std::nullopt;
      if (__builtin_mul_overflow(whole, unit.factor, &product)) return std::nullopt;
      return product;
    }
    const std::optional<double> real = ReadFloat(number);
    if (!real.has_value()) return std::nullopt;
    const double product = std::round(*real * static_cast<double>(unit.factor));
    if (product >= 9.2e18) return std::nullopt;
    return static_cast<int64_t>(product);
  }
  return std::nullopt;
}

}  // namespace

std::optional<bool> ReadBool(std::string_view text) {
  for (const std::string_view word :
       {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}) {
    if (text == word) return true;
  }
  for (const std::string_view word :
       {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::optional<int64_t> ReadInt(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with("0b")) {
    base = 2;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  uint64_t magnitude = 0;
  if (digits.empty() || !ReadWhole(digits, &magnitude, base)) return std::nullopt;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
}

std::optional<double> ReadFloat(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    number = std::numeric_limits<double>::infinity();
  } else {
    if (text.empty() || !(IsDigit(text.front()) || text.front() == '.')) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  }
  return negative ? -number : number;
}

std::optional<int64_t> ReadBytes(std::string_view text) { return ReadQuantity(text, kByteUnits); }

std::optional<int64_t> ReadMilliseconds(std::string_view text) {
  return ReadQuantity(text, kTimeUnits);
}

}  // namespace banquet
