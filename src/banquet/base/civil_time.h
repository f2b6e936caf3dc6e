#pragma once
// Dates and times of day in the proleptic Gregorian calendar: what instants as text are made of.

#include <cstdint>
#include <optional>
#include <string_view>

namespace banquet {

struct CivilDate {
  int64_t year = 0;
  int month = 0;  // 1..12
  int day = 0;    // 1..31
};

// A date with a time of day and, where the text had one, an offset from UTC.
struct CivilTime {
  CivilDate date;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int32_t nanos = 0;     // 0..999'999'999
  int64_t offset_s = 0;  // East of UTC.
};

int DaysOfMonth(int64_t year, int month);

// Days since 1970-01-01, and back; any year that int64 microseconds can reach.
int64_t DaysOf(const CivilDate& date);
CivilDate DateOfDays(int64_t days);

// Microseconds since the epoch; nullopt where a field is out of its range, or the instant out of
// the years 0001 to 9999. Nanoseconds beyond microseconds are dropped.
std::optional<int64_t> InstantOf(const CivilTime& time);

// Reads at the front of a text and removes what it took; false leaves the text anywhere.

// Exactly `digits` digits.
bool TakeDigits(std::string_view* text, int digits, int* number);
bool TakeChar(std::string_view* text, char c);
// One or more digits as a fraction of a second; what is finer than a nanosecond is dropped.
bool TakeFraction(std::string_view* text, int32_t* nanos);
// After the sign: HH, HHMM, HH:MM, HHMMSS or HH:MM:SS, below 24 hours.
bool TakeOffset(std::string_view* text, int64_t* offset_s);

}  // namespace banquet
