#include "banquet/encode/value_rules.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>
#include <iterator>

#include "banquet/encode/python_text.h"

namespace banquet {
namespace {

constexpr size_t kShownSizeMax = 80;

std::string_view Stripped(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes out the underscores that Python allows between digits; false where it does not allow them.
// Text without any stays where it is.
bool WithoutUnderscores(std::string_view* text, std::string* scratch) {
  if (text->find('_') == text->npos) return true;
  for (size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '_') {
      scratch->push_back((*text)[i]);
    } else if (i == 0 || i + 1 == text->size() || !IsDigit((*text)[i - 1]) ||
               !IsDigit((*text)[i + 1])) {
      return false;
    }
  }
  *text = *scratch;
  return true;
}

// A sign that from_chars does not take: '+', which nothing but a digit, a point or a word may
// follow.
bool TakePlus(std::string_view* text) {
  if (!text->starts_with('+')) return true;
  text->remove_prefix(1);
  return !text->starts_with('-') && !text->starts_with('+');
}

std::string Shown(std::string_view text) {
  std::string shown(1, '\'');
  shown += text.substr(0, kShownSizeMax);
  if (text.size() > kShownSizeMax) shown += "...";
  shown += '\'';
  return shown;
}

std::string ShowReal(double value) {
  std::string text;
  AppendPythonFloat(value, &text);
  return text;
}

void AppendDate(int64_t days, std::string* out) {
  // The civil calendar, counted in eras of 400 years that begin in March.
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  fmt::format_to(std::back_inserter(*out), "{:04}-{:02}-{:02}", year, month, day);
}

// The shortest decimal that reads back as the same number of its own width, printed as a double.
Outcome NarrowText(double as_read_back, std::string* scratch, std::string_view* value) {
  scratch->clear();
  AppendPythonFloat(as_read_back, scratch);
  *value = *scratch;
  return Outcome::kSet;
}

}  // namespace

std::string_view ReasonOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSet:
    case Outcome::kUnset:
      break;
    case Outcome::kOutOfRange:
      return "is out of range";
    case Outcome::kNotFinite:
      return "is not finite";
    case Outcome::kNotInteger:
      return "is no integer";
    case Outcome::kNotNumber:
      return "is no number";
    case Outcome::kNotUuid:
      return "is no UUID of 16 bytes";
  }
  return "converts";
}

Outcome ParsePythonInt(std::string_view text, int64_t* value) {
  text = Stripped(text);
  std::string scratch;
  if (!TakePlus(&text) || !WithoutUnderscores(&text, &scratch)) return Outcome::kNotInteger;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    return Outcome::kNotInteger;
  return error == std::errc() ? Outcome::kSet : Outcome::kOutOfRange;
}

Outcome ParsePythonFloat(std::string_view text, double* value) {
  text = Stripped(text);
  std::string scratch;
  if (!TakePlus(&text) || !WithoutUnderscores(&text, &scratch)) return Outcome::kNotNumber;
  if (text.find('(') != text.npos) return Outcome::kNotNumber;  // from_chars takes "nan(1)".
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    return Outcome::kNotNumber;
  // Too great or too small: infinity or zero, as Python has it.
  if (error == std::errc::result_out_of_range)
    *value = std::strtod(std::string(text).c_str(), nullptr);
  return Outcome::kSet;
}

std::string ShowCell(const FlagCell& cell) { return cell.value ? "True" : "False"; }
std::string ShowCell(const IntCell& cell) { return std::to_string(cell.value); }
std::string ShowCell(const UIntCell& cell) { return std::to_string(cell.value); }
std::string ShowCell(const HalfCell& cell) { return ShowReal(cell.Real()); }
std::string ShowCell(const FloatCell& cell) { return ShowReal(cell.Real()); }
std::string ShowCell(const DoubleCell& cell) { return ShowReal(cell.value); }
std::string ShowCell(const TextCell& cell) { return Shown(cell.value); }
std::string ShowCell(const BytesCell& cell) {
  std::string text;
  AppendPythonBytes(cell.value.substr(0, kShownSizeMax), &text);
  return text;
}
std::string ShowCell(const DecimalCell& cell) { return cell.value; }
std::string ShowCell(const InstantCell& cell) {
  return fmt::format("{}/{} s", cell.value, cell.units_per_second);
}
std::string ShowCell(const DateCell& cell) { return fmt::format("day {}", cell.days); }

Outcome StringRule::From(const IntCell& cell, std::string* scratch, Value* value) {
  scratch->clear();
  AppendPythonInt(cell.value, scratch);
  *value = *scratch;
  return Outcome::kSet;
}

Outcome StringRule::From(const UIntCell& cell, std::string* scratch, Value* value) {
  scratch->clear();
  AppendPythonInt(cell.value, scratch);
  *value = *scratch;
  return Outcome::kSet;
}

Outcome StringRule::From(const HalfCell& cell, std::string* scratch, Value* value) {
  const double exact = cell.Real();
  if (std::isnan(exact)) return Outcome::kUnset;
  for (int digits = 0; digits < 5; ++digits) {
    char buffer[32];
    const auto text =
        std::to_chars(buffer, std::end(buffer), exact, std::chars_format::scientific, digits);
    double read_back = 0;
    std::from_chars(buffer, text.ptr, read_back);
    if (arrow::util::Float16::FromDouble(read_back).bits() == cell.bits)
      return NarrowText(read_back, scratch, value);
  }
  return NarrowText(exact, scratch, value);
}

Outcome StringRule::From(const FloatCell& cell, std::string* scratch, Value* value) {
  if (std::isnan(cell.value)) return Outcome::kUnset;
  char buffer[32];
  const auto text = std::to_chars(buffer, std::end(buffer), cell.value);
  double read_back = 0;
  std::from_chars(buffer, text.ptr, read_back);
  return NarrowText(read_back, scratch, value);
}

Outcome StringRule::From(const DoubleCell& cell, std::string* scratch, Value* value) {
  if (std::isnan(cell.value)) return Outcome::kUnset;
  return NarrowText(cell.value, scratch, value);
}

Outcome StringRule::From(const BytesCell& cell, std::string* scratch, Value* value) {
  scratch->clear();
  AppendPythonBytes(cell.value, scratch);
  *value = *scratch;
  return Outcome::kSet;
}

Outcome StringRule::From(const InstantCell& cell, std::string* scratch, Value* value) {
  scratch->clear();
  const int64_t seconds = cell.Seconds();
  const int64_t days = InstantCell{seconds, kSecondsPerDay}.Seconds();
  const int64_t second_of_day = seconds - days * kSecondsPerDay;
  AppendDate(days, scratch);
  auto end = std::back_inserter(*scratch);
  fmt::format_to(end, "T{:02}:{:02}:{:02}", second_of_day / 3'600, second_of_day / 60 % 60,
                 second_of_day % 60);
  const int64_t part =
      ((cell.value % cell.units_per_second) + cell.units_per_second) % cell.units_per_second;
  if (cell.units_per_second == 1'000) fmt::format_to(end, ".{:03}", part);
  if (cell.units_per_second == 1'000'000) fmt::format_to(end, ".{:06}", part);
  if (cell.units_per_second == 1'000'000'000) fmt::format_to(end, ".{:09}", part);
  *value = *scratch;
  return Outcome::kSet;
}

Outcome StringRule::From(const DateCell& cell, std::string* scratch, Value* value) {
  scratch->clear();
  AppendDate(cell.days, scratch);
  *value = *scratch;
  return Outcome::kSet;
}

Outcome UuidRule::From(const BytesCell& cell, std::string* scratch, Value* value) {
  if (cell.value.size() != 16) return Outcome::kNotUuid;
  static constexpr char kDigits[] = "0123456789abcdef";
  scratch->clear();
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) scratch->push_back('-');
    const auto byte = static_cast<unsigned char>(cell.value[i]);
    scratch->push_back(kDigits[byte >> 4]);
    scratch->push_back(kDigits[byte & 0xF]);
  }
  *value = *scratch;
  return Outcome::kSet;
}

}  // namespace banquet
