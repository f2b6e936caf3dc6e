// ParseInstant: the spellings of an instant that dateutil takes, as far as they leave no doubt.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "banquet/base/civil_time.h"
#include "banquet/base/time_text.h"

namespace banquet {
namespace {

constexpr size_t kInstantBytesMax = 100;
constexpr char kForms[] =
    "write it as 2024-01-31, 2024-01-31T10:00:00, 2024-01-31T10:00:00+02:00, Jan 31 2024 10:00 or "
    "01/31/2024 (month first)";

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The position from 1 of a name written in full or with its first three letters; 0 for another
// word.
template <size_t N>
int PositionOfName(const std::array<std::string_view, N>& names, std::string_view word) {
  for (size_t i = 0; i < N; ++i) {
    if (word == names[i] || word == names[i].substr(0, 3)) return static_cast<int>(i) + 1;
  }
  return 0;
}

int MonthOfName(std::string_view word) {
  return word == "sept" ? 9 : PositionOfName(kMonths, word);
}

// Reads one text from front to back, each field at most once. Grammar, in any order, with spaces or
// commas between:
//   date: Y-M-D | M/D/Y | YYYYMMDD | a month's name, a day and a year of four digits; weekday names
//   are ignored time: H:M[:S[.f]] [AM|PM] | H AM|PM | after the date: [T]HH[MM[SS[.f]]] zone, after
//   date or time: Z | UTC | GMT | +HH[:MM] | -HH[:MM]
class InstantReader {
 public:
  explicit InstantReader(std::string_view text) : text_(text) {}

  // False where a part has no meaning, stands twice or is not the only reading.
  bool ReadAll() {
    while (true) {
      SkipFiller();
      if (text_.empty()) return true;
      const char c = text_.front();
      const bool ok = IsDigit(c)    ? ReadNumber()
                      : IsLetter(c) ? ReadWord()
                                    : (c == '+' || c == '-') && ReadOffset();
      if (!ok) return false;
    }
  }

  bool HasWholeDate() const { return has_year_ && has_month_ && has_day_; }
  std::optional<int64_t> Instant() const { return InstantOf(time_); }

 private:
  // Between the words of a date hyphens, slashes and dots may stand too: 3-Jan-2024.
  void SkipFiller() {
    while (!text_.empty()) {
      const char c = text_.front();
      const bool joins_words = (c == '-' || c == '/' || c == '.') && !HasWholeDate() &&
                               (has_year_ || has_month_ || has_day_);
      if (c != ' ' && c != ',' && !joins_words) return;
      text_.remove_prefix(1);
    }
  }

  size_t CountDigits() const {
    size_t digits = 0;
    while (digits < text_.size() && IsDigit(text_[digits])) ++digits;
    return digits;
  }

  char At(size_t position) const { return position < text_.size() ? text_[position] : '\0'; }

  bool ReadNumber() {
    const size_t digits = CountDigits();
    const char next = At(digits);
    if (next == ':') return digits <= 2 && ReadClock(static_cast<int>(digits));
    if (HasWholeDate()) return ReadTimeAfterDate(digits);
    if ((next == '-' || next == '/' || next == '.') && IsDigit(At(digits + 1))) {
      if (!has_month_ && !has_year_ && !has_day_) return ReadSeparatedDate(next);
    }
    if (digits == 8 || digits == 12 || digits == 14) return ReadCompactDate(digits);
    if (StartsHalfOfDay(text_.substr(digits))) return ReadClock(static_cast<int>(digits));
    int number = 0;
    if (digits == 4) {
      TakeDigits(&text_, 4, &number);
      return SetYear(number);
    }
    if (digits > 2) return false;
    TakeDigits(&text_, static_cast<int>(digits), &number);
    for (const std::string_view ordinal : {"st", "nd", "rd", "th"}) {
      if (LowerWord() == ordinal) text_.remove_prefix(2);
    }
    return SetDay(number);
  }

  // After the date: "10:00" without colon, or the hour alone.
  bool ReadTimeAfterDate(size_t digits) {
    if (digits <= 2) return ReadClock(static_cast<int>(digits));
    if (has_time_ || (digits != 4 && digits != 6)) return false;
    has_time_ = true;
    TakeDigits(&text_, 2, &time_.hour);
    TakeDigits(&text_, 2, &time_.minute);
    return digits == 4 || ReadSecond();
  }

  bool ReadSecond() {
    if (!TakeDigits(&text_, 2, &time_.second)) return false;
    const bool has_fraction = (At(0) == '.' || At(0) == ',') && IsDigit(At(1));
    if (!has_fraction) return true;
    text_.remove_prefix(1);
    return TakeFraction(&text_, &time_.nanos);
  }

  // H[:MM[:SS[.f]]] [AM|PM]
  bool ReadClock(int hour_digits) {
    if (has_time_ || hour_digits > 2) return false;
    has_time_ = true;
    TakeDigits(&text_, hour_digits, &time_.hour);
    if (TakeChar(&text_, ':')) {
      if (!TakeDigits(&text_, 2, &time_.minute)) return false;
      if (TakeChar(&text_, ':') && !ReadSecond()) return false;
    }
    if (IsDigit(At(0))) return false;
    if (!StartsHalfOfDay(text_)) return true;
    while (At(0) == ' ') text_.remove_prefix(1);
    const bool afternoon = LowerWord() == "pm";
    text_.remove_prefix(2);
    if (time_.hour > 12) return false;
    time_.hour = time_.hour % 12 + (afternoon ? 12 : 0);
    return true;
  }

  // Whether AM or PM follows.
  static bool StartsHalfOfDay(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    const std::string word = LowerWordOf(text);
    return word == "am" || word == "pm";
  }

  // Y-M-D, or M-D-Y; D-M-Y only where the day can be no month, as dateutil has it.
  bool ReadSeparatedDate(char separator) {
    int parts[3] = {};
    size_t digits[3] = {};
    for (int i = 0; i < 3; ++i) {
      if (i > 0 && !TakeChar(&text_, separator)) return false;
      digits[i] = CountDigits();
      // A month's name among numbers, or too few parts: ReadAll judges.
      if (digits[i] == 0 || digits[i] > 4) return false;
      TakeDigits(&text_, static_cast<int>(digits[i]), &parts[i]);
      if (i == 1 && At(0) != separator) return SetYearAndMonth(parts, digits);
    }
    if (digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2) {
      return SetYear(parts[0]) && SetMonth(parts[1]) && SetDay(parts[2]);
    }
    if (digits[2] != 4 || digits[0] > 2 || digits[1] > 2) return false;
    const bool day_first = parts[0] > 12;
    return SetYear(parts[2]) && SetMonth(parts[day_first ? 1 : 0]) &&
           SetDay(parts[day_first ? 0 : 1]);
  }

  // "2024-01": no whole date, but the message can say that the day is what it lacks.
  bool SetYearAndMonth(const int (&parts)[3], const size_t (&digits)[3]) {
    const bool ends = text_.empty() || At(0) == ' ';
    return ends && digits[0] == 4 && SetYear(parts[0]) && SetMonth(parts[1]);
  }

  // YYYYMMDD[HHMM[SS[.f]]]
  bool ReadCompactDate(size_t digits) {
    int year = 0;
    int month = 0;
    int day = 0;
    TakeDigits(&text_, 4, &year);
    TakeDigits(&text_, 2, &month);
    TakeDigits(&text_, 2, &day);
    if (!SetYear(year) || !SetMonth(month) || !SetDay(day)) return false;
    return digits == 8 || ReadTimeAfterDate(digits - 8);
  }

  bool ReadWord() {
    const std::string word = LowerWord();
    const bool before_digit = IsDigit(At(word.size()));
    if (word == "t") {
      text_.remove_prefix(1);
      return HasWholeDate() && !has_time_ && before_digit;
    }
    text_.remove_prefix(word.size());
    if (word == "z" || word == "utc" || word == "gmt") {
      // "UTC+3": which way it counts is a matter of dispute.
      return SetZone(0) && At(0) != '+' && At(0) != '-';
    }
    if (const int month = MonthOfName(word); month > 0) return SetMonth(month);
    if (PositionOfName(kWeekdays, word) > 0 && !has_weekday_) return has_weekday_ = true;
    return word == "of" || word == "at" || word == "on";
  }

  bool ReadOffset() {
    const bool west = At(0) == '-';
    // "2024-01-03-10:00": dateutil reads a time, ISO 8601 would be a zone.
    if (!has_time_) return false;
    text_.remove_prefix(1);
    int64_t offset_s = 0;
    return TakeOffset(&text_, &offset_s) && !IsDigit(At(0)) && SetZone(west ? -offset_s : offset_s);
  }

  static std::string LowerWordOf(std::string_view text) {
    std::string word;
    for (size_t i = 0; i < text.size() && IsLetter(text[i]); ++i) {
      word += static_cast<char>(text[i] | 0x20);
    }
    return word;
  }
  std::string LowerWord() const { return LowerWordOf(text_); }

  bool SetYear(int year) {
    time_.date.year = year;
    return !std::exchange(has_year_, true);
  }
  bool SetMonth(int month) {
    time_.date.month = month;
    return !std::exchange(has_month_, true);
  }
  bool SetDay(int day) {
    time_.date.day = day;
    return !std::exchange(has_day_, true);
  }
  bool SetZone(int64_t offset_s) {
    time_.offset_s = offset_s;
    return (HasWholeDate() || has_time_) && !std::exchange(has_zone_, true);
  }

  std::string_view text_;  // What is left.
  CivilTime time_;
  bool has_year_ = false;
  bool has_month_ = false;
  bool has_day_ = false;
  bool has_weekday_ = false;
  bool has_time_ = false;
  bool has_zone_ = false;
};

}  // namespace

Result<int64_t> ParseInstant(std::string_view text) {
  const std::string shown(text.substr(0, kInstantBytesMax));
  if (text.size() > kInstantBytesMax)
    return UserError("Too long for an instant, {}: '{}'", kForms, shown);
  InstantReader reader(text);
  if (!reader.ReadAll()) return UserError("Not an instant, {}: '{}'", kForms, shown);
  if (!reader.HasWholeDate()) {
    return UserError("Not a whole date (year, month and day), {}: '{}'", kForms, shown);
  }
  if (const std::optional<int64_t> us = reader.Instant()) return *us;
  return UserError("No such date or time of day, {}: '{}'", kForms, shown);
}

}  // namespace banquet
