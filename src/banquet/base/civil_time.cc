#include "banquet/base/civil_time.h"

namespace banquet {
namespace {

constexpr int64_t kDaysPerEra = 146'097;       // 400 years.
constexpr int64_t kEpochFromEraDay = 719'468;  // From 0000-03-01 to 1970-01-01.
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kNanosPerMicro = 1'000;
constexpr int64_t kInstantMin_us = -62'135'596'800 * kMicrosPerSecond;  // 0001-01-01T00:00:00Z
constexpr int64_t kInstantEnd_us = 253'402'300'800 * kMicrosPerSecond;  // 10000-01-01T00:00:00Z

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

int DaysOfMonth(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Years are counted from March, so that the leap day is a year's last.
int64_t DaysOf(const CivilDate& date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = FloorDivide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kEpochFromEraDay;
}

CivilDate DateOfDays(int64_t days) {
  const int64_t shifted = days + kEpochFromEraDay;
  const int64_t era = FloorDivide(shifted, kDaysPerEra);
  const int64_t day_of_era = shifted - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

std::optional<int64_t> InstantOf(const CivilTime& time) {
  const CivilDate& date = time.date;
  if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12) return std::nullopt;
  if (date.day < 1 || date.day > DaysOfMonth(date.year, date.month)) return std::nullopt;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  const int64_t of_day = (time.hour * 60 + time.minute) * 60 + time.second;
  const int64_t seconds = DaysOf(date) * 86'400 + of_day - time.offset_s;
  const int64_t us = seconds * kMicrosPerSecond + time.nanos / kNanosPerMicro;
  if (us < kInstantMin_us || us >= kInstantEnd_us) return std::nullopt;
  return us;
}

bool TakeDigits(std::string_view* text, int digits, int* number) {
  if (text->size() < static_cast<size_t>(digits)) return false;
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (!IsDigit(c)) return false;
    value = value * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  *number = value;
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeFraction(std::string_view* text, int32_t* nanos) {
  if (text->empty() || !IsDigit(text->front())) return false;
  int32_t value = 0;
  for (int32_t unit = 100'000'000; !text->empty() && IsDigit(text->front()); unit /= 10) {
    value += (text->front() - '0') * unit;
    text->remove_prefix(1);
  }
  *nanos = value;
  return true;
}

bool TakeOffset(std::string_view* text, int64_t* offset_s) {
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!TakeDigits(text, 2, &hours)) return false;
  if (TakeChar(text, ':')) {
    if (!TakeDigits(text, 2, &minutes)) return false;
    if (TakeChar(text, ':') && !TakeDigits(text, 2, &seconds)) return false;
  } else if (TakeDigits(text, 2, &minutes)) {
    TakeDigits(text, 2, &seconds);
  }
  *offset_s = (hours * 60 + minutes) * 60 + seconds;
  return hours < 24 && minutes < 60 && seconds < 60;
}

}  // namespace banquet
