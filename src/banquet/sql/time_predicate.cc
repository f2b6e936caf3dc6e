#include "banquet/sql/time_predicate.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include "banquet/base/civil_time.h"

namespace banquet {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;
constexpr int64_t kFirst = -62'135'596'800 * kSecond;     // 0001-01-01.
constexpr int64_t kLast = 253'402'300'800 * kSecond - 1;  // Of the year 9999.

struct Moment {
  CivilDate date;
  int64_t of_day_us = 0;
  int64_t hour() const { return of_day_us / (3'600 * kSecond); }
  int64_t minute() const { return of_day_us / (60 * kSecond) % 60; }
  int64_t second() const { return of_day_us / kSecond % 60; }
};

Result<Moment> MomentOf(int64_t us) {
  if (us < kFirst || us > kLast) {
    return Bug("A window's end is outside the years 0001 to 9999: {} us", us);
  }
  int64_t of_day_us = us % kDay;
  if (of_day_us < 0) of_day_us += kDay;
  return Moment{DateOfDays((us - of_day_us) / kDay), of_day_us};
}

std::string DateText(const Moment& moment) {
  return fmt::format("{:04}-{:02}-{:02}", moment.date.year, moment.date.month, moment.date.day);
}

std::string TimeText(const Moment& moment) {
  return fmt::format("{} {:02}:{:02}:{:02}.{:06}", DateText(moment), moment.hour(), moment.minute(),
                     moment.second(), moment.of_day_us % kSecond);
}

constexpr std::string_view kFormatWords = "YmdHMS";

Status CheckPartitionFormat(std::string_view format) {
  size_t next = 0;  // The place in kFormatWords that has to come next.
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    const char word = ++i < format.size() ? format[i] : '\0';
    if (word == '%') continue;
    if (next == kFormatWords.size() || kFormatWords[next] != word) {
      return UserError(
          "The format of the date partition column has to be made of %Y, %m, %d, %H, %M and %S, "
          "largest first and none left out between: {}",
          format);
    }
    ++next;
  }
  if (next == 0) return UserError("The format of the date partition column has no %Y: {}", format);
  return Status::OK();
}

std::string FormatMoment(std::string_view format, const Moment& moment) {
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text.push_back(format[i]);
      continue;
    }
    switch (format[++i]) {
      case 'Y':
        text += fmt::format("{:04}", moment.date.year);
        break;
      case 'm':
        text += fmt::format("{:02}", moment.date.month);
        break;
      case 'd':
        text += fmt::format("{:02}", moment.date.day);
        break;
      case 'H':
        text += fmt::format("{:02}", moment.hour());
        break;
      case 'M':
        text += fmt::format("{:02}", moment.minute());
        break;
      case 'S':
        text += fmt::format("{:02}", moment.second());
        break;
      default:
        text.push_back('%');
    }
  }
  return text;
}

}  // namespace

Result<std::string> TimeLiteral(const SqlDialect& dialect, TimeKind kind, int64_t us) {
  BANQUET_ASSIGN_OR_RETURN(const Moment moment, MomentOf(us));
  return fmt::format(fmt::runtime(dialect.LiteralOf(kind)), fmt::arg("time", TimeText(moment)),
                     fmt::arg("date", DateText(moment)), fmt::arg("us", us));
}

std::string TimeValue(const SqlDialect& dialect, std::string_view column) {
  return fmt::format(fmt::runtime(dialect.time_value), fmt::arg("column", column));
}

Result<std::string> WindowPredicate(const SqlDialect& dialect, std::string_view column,
                                    TimeKind kind, const TimeWindow& window) {
  BANQUET_ASSIGN_OR_RETURN(const std::string start, TimeLiteral(dialect, kind, window.start_us));
  BANQUET_ASSIGN_OR_RETURN(const std::string end, TimeLiteral(dialect, kind, window.end_us));
  return fmt::format("{} BETWEEN {} AND {}", TimeValue(dialect, column), start, end);
}

Result<std::string> PartitionPredicate(const SqlDialect& dialect, std::string_view column,
                                       std::string_view format, const TimeWindow& window) {
  BANQUET_RETURN_NOT_OK(CheckPartitionFormat(format));
  BANQUET_ASSIGN_OR_RETURN(const Moment start, MomentOf(window.start_us));
  BANQUET_ASSIGN_OR_RETURN(const Moment end, MomentOf(window.end_us));
  return fmt::format("{0} >= {1} AND {0} <= {2}", column,
                     dialect.QuoteText(FormatMoment(format, start)),
                     dialect.QuoteText(FormatMoment(format, end)));
}

}  // namespace banquet
