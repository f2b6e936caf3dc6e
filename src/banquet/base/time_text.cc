#include "banquet/base/time_text.h"

#include <fmt/format.h>

#include "banquet/base/civil_time.h"

namespace banquet {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr size_t kShownBytesMax = 60;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// YYYY-Www[-D] or YYYYWww[D], after the year and its hyphen: day 1 is Monday.
bool TakeWeekDate(std::string_view* text, int year, bool hyphens, CivilDate* date) {
  int week = 0;
  int weekday = 1;
  if (!TakeChar(text, 'W') || !TakeDigits(text, 2, &week)) return false;
  if (hyphens) {
    // Two digits after the hyphen are an hour, and the hyphen is the separator.
    const bool has_weekday = text->size() >= 2 && text->front() == '-' && IsDigit((*text)[1]) &&
                             (text->size() == 2 || !IsDigit((*text)[2]));
    if (has_weekday) {
      text->remove_prefix(1);
      if (!TakeDigits(text, 1, &weekday)) return false;
    }
  } else {
    // An odd number of digits has the weekday in front of a time of day.
    size_t digits = 0;
    while (digits < text->size() && IsDigit((*text)[digits])) ++digits;
    if (digits % 2 == 1 && !TakeDigits(text, 1, &weekday)) return false;
  }
  if (year < 1 || week < 1 || weekday < 1 || weekday > 7) return false;
  // The first week is the one with January 4th. 1970-01-01 was a Thursday.
  const auto first_monday = [](int64_t of_year) {
    const int64_t day = DaysOf({.year = of_year, .month = 1, .day = 4});
    return day - ((day + 3) % 7 + 7) % 7;
  };
  const int64_t days = first_monday(year) + (week - 1) * 7;
  if (days >= first_monday(year + 1)) return false;
  *date = DateOfDays(days + weekday - 1);
  return true;
}

bool TakeIsoDate(std::string_view* text, CivilDate* date) {
  int year = 0;
  if (!TakeDigits(text, 4, &year)) return false;
  date->year = year;
  const bool hyphens = TakeChar(text, '-');
  if (text->starts_with('W')) return TakeWeekDate(text, year, hyphens, date);
  if (!TakeDigits(text, 2, &date->month)) return false;
  if (hyphens && !TakeChar(text, '-')) return false;
  return TakeDigits(text, 2, &date->day);
}

// HH[:MM[:SS[.f]]] or HH[MM[SS[.f]]].
bool TakeIsoTimeOfDay(std::string_view* text, CivilTime* time) {
  if (!TakeDigits(text, 2, &time->hour)) return false;
  const bool colons = text->starts_with(':');
  for (int* field : {&time->minute, &time->second}) {
    if (colons ? !TakeChar(text, ':') : text->empty() || !IsDigit(text->front())) return true;
    if (!TakeDigits(text, 2, field)) return false;
  }
  if (!TakeChar(text, '.') && !TakeChar(text, ',')) return true;
  return TakeFraction(text, &time->nanos);
}

bool TakeIsoZone(std::string_view* text, CivilTime* time) {
  if (text->empty() || TakeChar(text, 'Z')) return true;
  const bool west = text->front() == '-';
  if (!TakeChar(text, west ? '-' : '+') || !TakeOffset(text, &time->offset_s)) return false;
  if (west) time->offset_s = -time->offset_s;
  return true;
}

std::optional<int64_t> ReadIso(std::string_view text, CivilTime* time) {
  if (!TakeIsoDate(&text, &time->date)) return std::nullopt;
  if (!text.empty()) {
    // The separator is any one character, of UTF-8.
    text.remove_prefix(1);
    while (!text.empty() && (text.front() & 0xC0) == 0x80) text.remove_prefix(1);
    if (!TakeIsoTimeOfDay(&text, time) || !TakeIsoZone(&text, time) || !text.empty()) {
      return std::nullopt;
    }
  }
  return InstantOf(*time);
}

// YYYY-MM-DD, then "T" or a space and a time of day, then a zone, which a space may set apart.
std::optional<int64_t> ReadColumnIso(std::string_view text, CivilTime* time) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (!TakeIsoDate(&text, &time->date)) return std::nullopt;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, 't') && !TakeChar(&text, ' '))
      return std::nullopt;
    if (!TakeIsoTimeOfDay(&text, time)) return std::nullopt;
    const bool apart = TakeChar(&text, ' ');
    if (apart && text == "UTC") return InstantOf(*time);
    if (apart && text.empty()) return std::nullopt;
    if (!TakeIsoZone(&text, time) || !text.empty()) return std::nullopt;
  }
  return InstantOf(*time);
}

struct Parts {
  CivilDate date;
  int64_t seconds = 0;  // Of the day.
  int64_t micros = 0;
};

Parts Split(int64_t us) {
  int64_t days = us / kMicrosPerDay;
  int64_t rest = us % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  return {.date = DateOfDays(days),
          .seconds = rest / kMicrosPerSecond,
          .micros = rest % kMicrosPerSecond};
}

std::string Format(int64_t us, char separator, std::string_view zone) {
  const Parts parts = Split(us);
  std::string text = fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", parts.date.year,
                                 parts.date.month, parts.date.day, separator, parts.seconds / 3'600,
                                 parts.seconds / 60 % 60, parts.seconds % 60);
  if (parts.micros != 0) text += fmt::format(".{:06}", parts.micros);
  return text.append(zone);
}

}  // namespace

Result<int64_t> ParseIsoInstant(std::string_view text) {
  CivilTime time;
  if (const std::optional<int64_t> us = ReadIso(text, &time)) return *us;
  return UserError(
      "Invalid isoformat string: '{}'; write a date as 2024-01-31 or an instant as "
      "2024-01-31T10:00:00+00:00",
      text.substr(0, kShownBytesMax));
}

Result<ParsedInstant> ParseColumnInstant(std::string_view text) {
  CivilTime time;
  const std::optional<int64_t> us = ReadColumnIso(text, &time);
  if (!us.has_value()) {
    return DataError("Not an ISO 8601 instant such as 2024-01-31T10:00:00.123456Z: '{}'",
                     text.substr(0, kShownBytesMax));
  }
  return ParsedInstant{.us = *us, .nanos = time.nanos % 1'000};
}

std::string FormatInstant(int64_t us) { return Format(us, ' ', "+00:00"); }

std::string FormatRfc3339(int64_t us) { return Format(us, 'T', "Z"); }

}  // namespace banquet
