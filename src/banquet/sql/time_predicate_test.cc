#include "banquet/sql/time_predicate.h"

#include <limits>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

// 2021-04-01 00:00:00 to 2021-04-02 00:00:00.123456.
constexpr TimeWindow kWindow{1'617'235'200'000'000, 1'617'321'600'123'456};

std::string Window(SqlProduct product, TimeKind kind) {
  return WindowPredicate(DialectOf(product), "c", kind, kWindow).ValueOrDie();
}

TEST(TimePredicateTest, NamesInstantsInExplicitUtcToTheMicrosecond) {
  const std::string standard =
      "c BETWEEN TIMESTAMPTZ '2021-04-01 00:00:00.000000+00:00' AND TIMESTAMPTZ '2021-04-02 "
      "00:00:00.123456+00:00'";
  EXPECT_EQ(Window(SqlProduct::kPostgres, TimeKind::kInstant), standard);
  EXPECT_EQ(Window(SqlProduct::kDuckDb, TimeKind::kInstant), standard);
  EXPECT_EQ(Window(SqlProduct::kRedshift, TimeKind::kInstant), standard);
  EXPECT_EQ(Window(SqlProduct::kSnowflake, TimeKind::kInstant),
            "c BETWEEN '2021-04-01 00:00:00.000000+00:00'::TIMESTAMP_TZ AND '2021-04-02 "
            "00:00:00.123456+00:00'::TIMESTAMP_TZ");
  const std::string plain =
      "c BETWEEN TIMESTAMP '2021-04-01 00:00:00.000000+00:00' AND TIMESTAMP '2021-04-02 "
      "00:00:00.123456+00:00'";
  EXPECT_EQ(Window(SqlProduct::kBigQuery, TimeKind::kInstant), plain);
  EXPECT_EQ(Window(SqlProduct::kSpark, TimeKind::kInstant), plain);
}

TEST(TimePredicateTest, ComparesNaiveColumnsWithNaiveTimes) {
  const std::string standard =
      "c BETWEEN TIMESTAMP '2021-04-01 00:00:00.000000' AND TIMESTAMP '2021-04-02 "
      "00:00:00.123456'";
  EXPECT_EQ(Window(SqlProduct::kPostgres, TimeKind::kNaive), standard);
  EXPECT_EQ(Window(SqlProduct::kDuckDb, TimeKind::kNaive), standard);
  EXPECT_EQ(Window(SqlProduct::kRedshift, TimeKind::kNaive), standard);
  EXPECT_EQ(Window(SqlProduct::kSnowflake, TimeKind::kNaive),
            "c BETWEEN '2021-04-01 00:00:00.000000'::TIMESTAMP_NTZ AND '2021-04-02 "
            "00:00:00.123456'::TIMESTAMP_NTZ");
  EXPECT_EQ(Window(SqlProduct::kBigQuery, TimeKind::kNaive),
            "c BETWEEN DATETIME '2021-04-01 00:00:00.000000' AND DATETIME '2021-04-02 "
            "00:00:00.123456'");
  EXPECT_EQ(Window(SqlProduct::kSpark, TimeKind::kNaive),
            "c BETWEEN TIMESTAMP_NTZ '2021-04-01 00:00:00.000000' AND TIMESTAMP_NTZ '2021-04-02 "
            "00:00:00.123456'");
}

TEST(TimePredicateTest, ComparesDatesWithTheDaysOfTheWindow) {
  for (const SqlProduct product :
       {SqlProduct::kBigQuery, SqlProduct::kPostgres, SqlProduct::kDuckDb, SqlProduct::kSpark,
        SqlProduct::kRedshift}) {
    EXPECT_EQ(Window(product, TimeKind::kDate),
              "c BETWEEN DATE '2021-04-01' AND DATE '2021-04-02'");
  }
  EXPECT_EQ(Window(SqlProduct::kSnowflake, TimeKind::kDate),
            "c BETWEEN '2021-04-01'::DATE AND '2021-04-02'::DATE");
}

TEST(TimePredicateTest, ComparesMicrosecondsInSqlite) {
  const SqlDialect& sqlite = DialectOf(SqlProduct::kSqlite);
  for (const TimeKind kind : {TimeKind::kInstant, TimeKind::kNaive, TimeKind::kDate}) {
    EXPECT_EQ(WindowPredicate(sqlite, "c", kind, kWindow).ValueOrDie(),
              TimeValue(sqlite, "c") + " BETWEEN 1617235200000000 AND 1617321600123456");
  }
  EXPECT_EQ(TimeValue(DialectOf(SqlProduct::kDuckDb), "c"), "c");
}

TEST(TimePredicateTest, NamesTimesBeforeTheEpochAndTheEndsOfTheCalendar) {
  const auto literal = [](int64_t us) {
    return TimeLiteral(DialectOf(SqlProduct::kPostgres), TimeKind::kNaive, us);
  };
  EXPECT_EQ(literal(-1).ValueOrDie(), "TIMESTAMP '1969-12-31 23:59:59.999999'");
  EXPECT_EQ(literal(-62'135'596'800'000'000).ValueOrDie(),
            "TIMESTAMP '0001-01-01 00:00:00.000000'");
  EXPECT_EQ(literal(253'402'300'799'999'999).ValueOrDie(),
            "TIMESTAMP '9999-12-31 23:59:59.999999'");
  EXPECT_FAULT(Fault::kBug, "outside the years", literal(-62'135'596'800'000'001));
  EXPECT_FAULT(Fault::kBug, "outside the years", literal(253'402'300'800'000'000));
  EXPECT_FAULT(Fault::kBug, "outside the years", literal(std::numeric_limits<int64_t>::min()));
  const TimeWindow endless{0, std::numeric_limits<int64_t>::max()};
  const TimeWindow beginless{std::numeric_limits<int64_t>::min(), 0};
  for (const TimeWindow& window : {endless, beginless}) {
    EXPECT_FAULT(Fault::kBug, "outside the years",
                 WindowPredicate(DialectOf(SqlProduct::kSqlite), "c", TimeKind::kDate, window));
    EXPECT_FAULT(Fault::kBug, "outside the years",
                 PartitionPredicate(DialectOf(SqlProduct::kSpark), "c", "%Y", window));
  }
}

TEST(TimePredicateTest, PrunesPartitionsByTheirFormat) {
  const auto predicate = [](std::string_view format, SqlProduct product = SqlProduct::kSpark) {
    return PartitionPredicate(DialectOf(product), "p", format, kWindow);
  };
  EXPECT_EQ(predicate("%Y-%m-%d").ValueOrDie(), "p >= '2021-04-01' AND p <= '2021-04-02'");
  EXPECT_EQ(predicate("%Y-%m-%d", SqlProduct::kBigQuery).ValueOrDie(),
            "p >= '2021-04-01' AND p <= '2021-04-02'");
  EXPECT_EQ(predicate("d'%Y%m%d%%%H:%M:%S").ValueOrDie(),
            "p >= 'd\\'20210401%00:00:00' AND p <= 'd\\'20210402%00:00:00'");
  EXPECT_EQ(predicate("%Y").ValueOrDie(), "p >= '2021' AND p <= '2021'");
  for (const std::string_view format :
       {"%d-%m-%Y", "%Y-%d", "%m", "%Y%Y", "%y-%m", "%Y-%m-%d%H%M%S%f", "%Y-%"}) {
    EXPECT_FAULT(Fault::kUser, "largest first", predicate(format));
  }
  EXPECT_FAULT(Fault::kUser, "has no %Y: day", predicate("day"));
  EXPECT_FAULT(Fault::kUser, "has no %Y: ", predicate(""));
}

}  // namespace
}  // namespace banquet
