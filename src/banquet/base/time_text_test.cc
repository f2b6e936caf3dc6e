#include "banquet/base/time_text.h"

#include <chrono>
#include <random>

#include "banquet/base/civil_time.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3'600 * kSecond;
constexpr int64_t kJan1 = 1'704'067'200 * kSecond;  // 2024-01-01T00:00:00Z
constexpr int64_t kJan3 = kJan1 + 48 * kHour;
constexpr int64_t kFirst = -62'135'596'800 * kSecond;
constexpr int64_t kLast = 253'402'300'800 * kSecond - 1;

struct Spelling {
  std::string_view text;
  int64_t us;
};

TEST(ParseInstant, TakesTheFormsOfFeastsCommandLine) {
  for (const auto& [text, us] :
       std::initializer_list<Spelling>{{"2024-01-01", kJan1},
                                       {"Jan 3 2024", kJan3},
                                       {"2024-01-01T00:00:00", kJan1},
                                       {"2024-01-01T00:00:00+02:00", kJan1 - 2 * kHour},
                                       {"2024-01-01T00:00:00Z", kJan1},
                                       {"2024-01-01 00:00:00.000001", kJan1 + 1}}) {
    ASSERT_OK_AND_ASSIGN(const int64_t parsed, ParseInstant(text));
    EXPECT_EQ(parsed, us) << text;
  }
}

// Each answer was given by dateutil 2.9.
TEST(ParseInstant, ReadsWhatDateutilReads) {
  const int64_t ten = kJan3 + 10 * kHour;
  const int64_t eleven_past = ten + 11 * 60 * kSecond;
  for (const auto& [text, us] : std::initializer_list<Spelling>{
           {"2024-01-03T10", ten},
           {"2024-01-03 10", ten},
           {"2024-1-3", kJan3},
           {"2024/01/03", kJan3},
           {"2024/01/03 10:11", eleven_past},
           {"2024.01.03", kJan3},
           {"01/03/2024", kJan3},
           {"1/3/2024", kJan3},
           {"31/01/2024", kJan1 + 30 * 24 * kHour},
           {"01.02.2024", kJan1 + 24 * kHour},
           {"20240103", kJan3},
           {"20240103T101100", eleven_past},
           {"20240103T101100Z", eleven_past},
           {"20240103T101100.5+0200", eleven_past - 2 * kHour + kSecond / 2},
           {"20240103 1011", eleven_past},
           {"20240103101100", eleven_past},
           {"202401031011", eleven_past},
           {"2024-01-03T1011", eleven_past},
           {"10:00 Jan 3 2024", ten},
           {"3 Jan 2024 10:00", ten},
           {"3-Jan-2024", kJan3},
           {"Jan-3-2024", kJan3},
           {"2024-Jan-03", kJan3},
           {"2024 Jan 3", kJan3},
           {"Jan. 3, 2024", kJan3},
           {"January 3, 2024", kJan3},
           {"Jan 3rd, 2024", kJan3},
           {"3rd of January 2024", kJan3},
           {"Jan 3, 2024, 10:00", ten},
           {"Jan 3 2024 at 10:00", ten},
           {"Wed Jan 3 2024", kJan3},
           {"Wed Jan  3 10:00:00 UTC 2024", ten},
           {"Wed, 03 Jan 2024 10:00:00 +0000", ten},
           {"Jan 3 2024 10pm", ten + 12 * kHour},
           {"Jan 3 2024 10:00 PM", ten + 12 * kHour},
           {"12:00 AM Jan 3 2024", kJan3},
           {"12:30 pm Jan 3 2024", kJan3 + 12 * kHour + 30 * 60 * kSecond},
           {"2024-01-03T10:00:00,5", ten + kSecond / 2},
           {"2024-01-03T10:00:00.1234567", ten + 123'456},
           {"2024-01-03 10:00 UTC", ten},
           {"2024-01-03 10:00 GMT", ten},
           {"2024-01-03T10:00z", ten},
           {"2024-01-03t10:00", ten},
           {"2024-01-03T10:00-03", ten + 3 * kHour},
           {"2024-01-03T10:00 -0330", ten + 3 * kHour + 30 * 60 * kSecond},
           {"2024-01-03T10:00:00 +02:00", ten - 2 * kHour},
           {"  2024-01-03  ", kJan3},
           {"0001-01-01", kFirst},
           {"9999-12-31T23:59:59.999999", kLast}}) {
    const Result<int64_t> parsed = ParseInstant(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().ToString();
    EXPECT_EQ(*parsed, us) << text;
  }
  ASSERT_OK_AND_ASSIGN(const int64_t sept, ParseInstant("Sept 3 2024"));
  EXPECT_EQ(FormatInstant(sept), "2024-09-03 00:00:00+00:00");
}

TEST(ParseInstant, RefusesPartOfADateWhichDateutilFillsFromToday) {
  for (const std::string_view text :
       {"10:00", "2024", "2024-01", "Jan 3", "January 2024", "Wed", "", "  ", "10pm"}) {
    SCOPED_TRACE(text);
    EXPECT_FAULT(Fault::kUser, "Not a whole date", ParseInstant(text));
  }
}

TEST(ParseInstant, RefusesWhatHasNoOneReading) {
  for (const std::string_view text : {"yesterday",
                                      "now",
                                      "01/03/24",
                                      "1704067200",
                                      "2024-01-03 10:00 UTC+3",
                                      "2024-01-03 EST",
                                      "2024-W01-1",
                                      "2024-01-03 10:00 11:00",
                                      "2024-01-03 2024-01-04",
                                      "Jan Feb 3 2024",
                                      "2024-01-03T",
                                      "2024-01-03T10:00+02:00 Z",
                                      "2024-01-03-10:00",
                                      "2024-01-03T10:0",
                                      "2024-01/03",
                                      "2024-01-03T10:00:00x",
                                      "13:00 pm Jan 3 2024",
                                      "2024-01-03T10:00+25:00",
                                      "10 Jan 3 2024",
                                      "2024-01-03T10:00 +2",
                                      "\xC3\xA9",
                                      "2024-01-03;",
                                      "Wed Thu Jan 3 2024",
                                      "20240103T10110",
                                      "2024-01-03 10:00+02:000",
                                      "99999-01-01",
                                      "01-2024",
                                      "2024-01-03 UTC UTC"}) {
    SCOPED_TRACE(text);
    EXPECT_FAULT(Fault::kUser, "write it as 2024-01-31,", ParseInstant(text));
  }
  EXPECT_FAULT(Fault::kUser, "Too long", ParseInstant(std::string(101, ' ')));
}

TEST(ParseInstant, RefusesDatesAndTimesThatDoNotExist) {
  for (const std::string_view text :
       {"2024-02-30", "2023-02-29", "2024-13-01", "13/13/2024", "2024-01-00", "2024-01-01T24:00",
        "2024-01-03T10:00:60", "2024-01-03T10:60", "0000-01-01", "0001-01-01T00:00+01:00",
        "9999-12-31T23:59:59-01:00"}) {
    SCOPED_TRACE(text);
    EXPECT_FAULT(Fault::kUser, "No such date", ParseInstant(text));
  }
}

// Each answer was given by Python 3.11.
TEST(ParseIsoInstant, ReadsWhatFromisoformatReads) {
  for (const auto& [text, us] : std::initializer_list<Spelling>{
           {"2024-01-01", kJan1},
           {"20240101", kJan1},
           {"2024-W01", kJan1},
           {"2024-W01-3", kJan3},
           {"2024-W01-10:00Z", kJan1 + 10 * kHour},
           {"2024W01", kJan1},
           {"2024W013", kJan3},
           {"2024W013T10", kJan3 + 10 * kHour},
           {"2020-W53-5", 1'609'459'200 * kSecond},
           {"2024-01-01T10", kJan1 + 10 * kHour},
           {"2024-01-01 10:00", kJan1 + 10 * kHour},
           {"2024-01-01x1000", kJan1 + 10 * kHour},
           {"2024-01-01\xE2\x80\x94"
            "10:00",
            kJan1 + 10 * kHour},
           {"2024-01-01T10:00:00.5", kJan1 + 10 * kHour + kSecond / 2},
           {"2024-01-01T10:00:00,1234569", kJan1 + 10 * kHour + 123'456},
           {"2024-01-01T100000.000001", kJan1 + 10 * kHour + 1},
           {"2024-01-01T10:00Z", kJan1 + 10 * kHour},
           {"2024-01-01T10:00+02", kJan1 + 8 * kHour},
           {"2024-01-01T10:00+0200", kJan1 + 8 * kHour},
           {"2024-01-01T10:00-02:00", kJan1 + 12 * kHour},
           {"2024-01-01T10:00+00:00:01", kJan1 + 10 * kHour - kSecond},
           {"20240101T100000Z", kJan1 + 10 * kHour}}) {
    const Result<int64_t> parsed = ParseIsoInstant(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().ToString();
    EXPECT_EQ(*parsed, us) << text;
  }
}

TEST(ParseIsoInstant, RefusesTheRestInFeastsWords) {
  EXPECT_FAULT(Fault::kUser, "Invalid isoformat string: 'yesterday'", ParseIsoInstant("yesterday"));
  for (const std::string_view text : {"",
                                      "2024",
                                      "2024-01",
                                      "2024-1-1",
                                      "Jan 3 2024",
                                      "2024-01-01T",
                                      "2024-01-01T24:00",
                                      "2024-02-30",
                                      "2024-01-01T10:00z",
                                      "2024-01-01T1",
                                      "2024-01-01T10:",
                                      "2024-01-01T10:00:00.",
                                      "2024-0101",
                                      "2024-01-01T10:00:00 +02:00",
                                      "2024-W00",
                                      "2024-W53",
                                      "2024-W01-8",
                                      "2024-W01-0",
                                      "2024-W1",
                                      "2024-01-01T10:00+24:00",
                                      "2024-01-01T10:00+2",
                                      "2024-001",
                                      "0000-W01",
                                      "2024-01-01T10:00Zx",
                                      "0001-01-01T00:00+01:00"}) {
    SCOPED_TRACE(text);
    EXPECT_FAULT(Fault::kUser, "Invalid isoformat string", ParseIsoInstant(text));
  }
}

TEST(ParseColumnInstant, KeepsNanosecondsApart) {
  ASSERT_OK_AND_ASSIGN(const ParsedInstant after,
                       ParseColumnInstant("2024-01-01T00:00:00.123456789Z"));
  EXPECT_EQ(after.us, kJan1 + 123'456);
  EXPECT_EQ(after.nanos, 789);
  ASSERT_OK_AND_ASSIGN(const ParsedInstant before,
                       ParseColumnInstant("1969-12-31 23:59:59.999999999"));
  EXPECT_EQ(before.us, -1);
  EXPECT_EQ(before.nanos, 999);
}

TEST(ParseColumnInstant, ReadsIsoWithItsZones) {
  for (const auto& [text, us] :
       std::initializer_list<Spelling>{{"2024-01-01", kJan1},
                                       {"2024-01-01 00:00", kJan1},
                                       {"2024-01-01t00:00:00", kJan1},
                                       {"2024-01-01T00:00:00+0200", kJan1 - 2 * kHour},
                                       {"2024-01-01 00:00:00 UTC", kJan1},
                                       {"2024-01-01 00:00:00 -05:00", kJan1 + 5 * kHour},
                                       {"2024-01-01 00:00:00.1 +05:30",
                                        kJan1 + kSecond / 10 - 5 * kHour - 30 * 60 * kSecond}}) {
    const Result<ParsedInstant> parsed = ParseColumnInstant(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().ToString();
    EXPECT_EQ(parsed->us, us) << text;
  }
}

TEST(ParseColumnInstant, BlamesTheDataForTheRest) {
  for (const std::string_view text :
       {"", "n/a", "20240101", "2024-01-01x00:00", "2024-01-01T", "2024-01-01 00:00:00 ",
        "2024-01-01 00:00Z UTC", "2024-01-01 UTC", "2024-02-30", "2024-01-01T00:00:00 CET",
        "2024-01-01T00:00 +1", "2024-W01-1"}) {
    SCOPED_TRACE(text);
    EXPECT_FAULT(Fault::kData, "Not an ISO 8601 instant", ParseColumnInstant(text));
  }
}

TEST(FormatInstant, WritesAsPythonDoes) {
  EXPECT_EQ(FormatInstant(kJan1), "2024-01-01 00:00:00+00:00");
  EXPECT_EQ(FormatInstant(kJan1 + 1), "2024-01-01 00:00:00.000001+00:00");
  EXPECT_EQ(FormatInstant(-1), "1969-12-31 23:59:59.999999+00:00");
  EXPECT_EQ(FormatInstant(kFirst), "0001-01-01 00:00:00+00:00");
  EXPECT_EQ(FormatInstant(kLast), "9999-12-31 23:59:59.999999+00:00");
}

TEST(FormatRfc3339, WritesZ) {
  EXPECT_EQ(FormatRfc3339(kJan1), "2024-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(kJan1 + kSecond / 2), "2024-01-01T00:00:00.500000Z");
  // Never fails, whatever a registry holds.
  EXPECT_FALSE(FormatRfc3339(std::numeric_limits<int64_t>::min()).empty());
  EXPECT_FALSE(FormatRfc3339(std::numeric_limits<int64_t>::max()).empty());
}

TEST(TimeText, EveryParserReadsBackWhatWasWritten) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> instants(kFirst, kLast);
  for (int i = 0; i < 20'000; ++i) {
    int64_t us = instants(random);
    if (i % 2 == 0) us -= us % kSecond;
    for (const std::string& text : {FormatInstant(us), FormatRfc3339(us)}) {
      const Result<int64_t> free = ParseInstant(text);
      const Result<int64_t> iso = ParseIsoInstant(text);
      const Result<ParsedInstant> column = ParseColumnInstant(text);
      ASSERT_TRUE(free.ok() && iso.ok() && column.ok()) << text;
      ASSERT_EQ(*free, us) << text;
      ASSERT_EQ(*iso, us) << text;
      ASSERT_EQ(column->us, us) << text;
      ASSERT_EQ(column->nanos, 0) << text;
    }
  }
}

TEST(TimeText, NoBytesBreakTheParsers) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kPieces[] = {
      "2024", "-", "01", ":", "T",  " ", "Jan", "+",
      "W",    ".", "5",  "Z", "pm", "/", ",",   std::string_view("\0", 1),
      "UTC",  "31"};
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (uint64_t n = random() % 12; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    for (const Result<int64_t>& parsed : {ParseInstant(text), ParseIsoInstant(text)}) {
      if (parsed.ok()) {
        ASSERT_TRUE(*parsed >= kFirst && *parsed <= kLast) << text;
      } else {
        ASSERT_EQ(FaultOf(parsed.status()), Fault::kUser) << text;
      }
    }
    (void)ParseColumnInstant(text);
  }
}

TEST(CivilTime, AgreesWithTheStandardLibraryOnEveryDay) {
  const int64_t last = DaysOf({.year = 9999, .month = 12, .day = 31});
  for (int64_t days = DaysOf({.year = 1, .month = 1, .day = 1}); days <= last; ++days) {
    const CivilDate date = DateOfDays(days);
    const std::chrono::year_month_day expected{std::chrono::sys_days(std::chrono::days(days))};
    ASSERT_EQ(date.year, static_cast<int>(expected.year())) << days;
    ASSERT_EQ(date.month, static_cast<int>(static_cast<unsigned>(expected.month()))) << days;
    ASSERT_EQ(date.day, static_cast<int>(static_cast<unsigned>(expected.day()))) << days;
    ASSERT_EQ(DaysOf(date), days);
  }
}

}  // namespace
}  // namespace banquet
