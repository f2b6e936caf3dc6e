// What a scan refuses, and what SQLite gives for it; whole statements are in testdata/.
#include "banquet/sql/scan_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"
#include "banquet/client/sqlite/database.h"

namespace banquet {
namespace {

constexpr int64_t kStart = 1'617'235'200'000'000;  // 2021-04-01 00:00:00.
constexpr int64_t kEnd = kStart + 1'500'001;

SqlScan RowScan() {
  SqlScan scan;
  scan.request.source.name = "row_source";
  scan.request.source.table = "\"odd \"\"rows\"";
  scan.request.source.timestamp_field = "event \"ts";
  scan.request.source.created_timestamp_column = "created";
  scan.request.columns = {"number"};
  scan.request.window = {kStart, kEnd};
  scan.source.rows_have_position = true;
  scan.source.text_columns = {"key`"};
  scan.keys = {"key`"};
  return scan;
}

Result<std::string> Sqlite(const SqlScan& scan) {
  return ScanSql(DialectOf(SqlProduct::kSqlite), scan);
}

struct Row {
  int64_t number = 0;
  std::optional<std::string> key;
  std::optional<int64_t> event_us;
  std::optional<int64_t> created_us;
};

bool Inside(const Row& row) {
  return row.event_us.has_value() && *row.event_us >= kStart && *row.event_us <= kEnd;
}

// Event time, then created time, null lowest.
auto TimesOf(const Row& row) { return std::tuple(row.event_us, row.created_us); }

// What the scan has to give, by the rules alone; numbers of rows in ascending order.
std::vector<int64_t> Expected(const std::vector<Row>& rows, const SqlScan& scan) {
  std::vector<int64_t> numbers;
  std::map<std::string, const Row*> newest;
  for (const Row& row : rows) {
    if (row.event_us.has_value() && !Inside(row)) continue;
    if (!row.event_us.has_value() || !row.key.has_value()) {
      if (scan.null_rows == NullRows::kKeep) numbers.push_back(row.number);
      continue;
    }
    const Row*& best = newest[*row.key];
    if (best == nullptr || TimesOf(row) > TimesOf(*best)) best = &row;
  }
  for (const Row& row : rows) {
    if (!Inside(row) || !row.key.has_value()) continue;
    const Row& best = *newest[*row.key];
    const bool comes = scan.newest == NewestRows::kAll ||
                       (scan.newest == NewestRows::kOne ? best.number == row.number
                                                        : TimesOf(best) == TimesOf(row));
    if (comes) numbers.push_back(row.number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

class ScanSqlSqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(database_, sqlite::Database::Open({.path = ":memory:"}));
    ASSERT_OK(database_->Execute(
        "CREATE TABLE \"odd \"\"rows\" (number INTEGER, \"key`\" TEXT COLLATE NOCASE, \"event "
        "\"\"ts\" TEXT, created TEXT)"));
  }

  // A text of the time, in one of the spellings that a column of text may hold.
  std::string Spelled(int64_t us) {
    switch (random_() % 4) {
      case 0: {
        const std::string ahead = FormatInstant(us + int64_t{7'200'000'000});
        return ahead.substr(0, ahead.size() - 6) + "+02:00";
      }
      case 1:
        return FormatRfc3339(us);
      case 2: {
        const std::string utc = FormatInstant(us);
        return utc.substr(0, utc.size() - 6);
      }
      default:
        return FormatInstant(us);
    }
  }

  void Insert(const std::vector<Row>& rows) {
    ASSERT_OK_AND_ASSIGN(auto insert,
                         database_->Prepare("INSERT INTO \"odd \"\"rows\" VALUES (?, ?, ?, ?)"));
    for (const Row& row : rows) {
      const std::string event = row.event_us ? Spelled(*row.event_us) : "";
      const std::string created = row.created_us ? Spelled(*row.created_us) : "";
      ASSERT_OK(insert.BindInt(1, row.number));
      ASSERT_OK(row.key ? insert.BindText(2, *row.key) : insert.BindNull(2));
      ASSERT_OK(row.event_us ? insert.BindText(3, event) : insert.BindNull(3));
      ASSERT_OK(row.created_us ? insert.BindText(4, created) : insert.BindNull(4));
      ASSERT_OK(insert.Run());
    }
  }

  std::vector<int64_t> NumbersOf(const SqlScan& scan) {
    std::vector<int64_t> numbers;
    auto statement = database_->Prepare(Sqlite(scan).ValueOrDie()).ValueOrDie();
    while (statement.Step().ValueOrDie()) numbers.push_back(statement.Int(0));
    std::ranges::sort(numbers);
    return numbers;
  }

  std::vector<int64_t> CountsOf(const SqlScan& scan) {
    auto statement = database_->Prepare(CountSql(DialectOf(SqlProduct::kSqlite), scan).ValueOrDie())
                         .ValueOrDie();
    EXPECT_TRUE(statement.Step().ValueOrDie());
    return {statement.Int(0), statement.Int(1), statement.Int(2)};
  }

  std::vector<Row> RandomRows(int count) {
    const auto below = [this](int n) { return static_cast<int>(random_() % n); };
    const std::vector<std::string> keys = {"a", "A", "b", "", "ä", "Ä"};
    std::vector<Row> rows(count);
    for (int i = 0; i < count; ++i) {
      rows[i].number = i;
      if (below(8) > 0) rows[i].key = keys[below(static_cast<int>(keys.size()))];
      if (below(8) > 0) rows[i].event_us = kStart - 1 + below(4) * 500'001;
      if (below(3) > 0) rows[i].created_us = kStart + below(3) * 999'999;
    }
    return rows;
  }

  std::unique_ptr<sqlite::Database> database_;
  std::mt19937 random_;
};

TEST_F(ScanSqlSqliteTest, GivesWhatTheRulesSay) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  random_.seed(seed);
  const std::vector<Row> rows = RandomRows(300);
  Insert(rows);
  for (const NewestRows newest : {NewestRows::kAll, NewestRows::kOne, NewestRows::kWithTies}) {
    for (const NullRows null_rows : {NullRows::kKeep, NullRows::kDrop}) {
      SqlScan scan = RowScan();
      scan.newest = newest;
      scan.null_rows = null_rows;
      EXPECT_EQ(NumbersOf(scan), Expected(rows, scan));
      scan.request.source.query = "SELECT * FROM " + scan.request.source.table + "; -- end";
      scan.request.source.table.clear();
      scan.source.rows_have_position = false;
      if (newest != NewestRows::kOne) {
        EXPECT_EQ(NumbersOf(scan), Expected(rows, scan));
      }
    }
  }
}

TEST_F(ScanSqlSqliteTest, CountsWhatNeverComes) {
  Insert({{0, "a", kStart, {}},
          {1, {}, kStart, {}},
          {2, {}, kEnd + 1, {}},
          {3, "a", {}, {}},
          {4, {}, {}, {}},
          {5, "a", kEnd, {}}});
  SqlScan scan = RowScan();
  scan.null_rows = NullRows::kDrop;
  EXPECT_THAT(CountsOf(scan), ::testing::ElementsAre(5, 2, 1));
  scan.keys.clear();
  EXPECT_THAT(CountsOf(scan), ::testing::ElementsAre(5, 2, 0));
}

TEST_F(ScanSqlSqliteTest, KeepsWhatItCannotReadAsATime) {
  Insert({{0, "a", kStart, {}}});
  ASSERT_OK(database_->Execute(
      "INSERT INTO \"odd \"\"rows\" VALUES (1, 'a', 'yesterday', NULL), (2, 'a', 18718, NULL), "
      "(3, 'b', '2021-04-01', NULL), (4, 'a', '2021-04-01T00:00:00.0000009', NULL)"));
  SqlScan scan = RowScan();
  scan.newest = NewestRows::kOne;
  EXPECT_THAT(NumbersOf(scan), ::testing::ElementsAre(0, 1, 2, 3));
}

TEST_F(ScanSqlSqliteTest, TakesAMissingColumnForAFailureNotForAText) {
  SqlScan scan = RowScan();
  scan.request.columns = {"numbre"};
  EXPECT_FALSE(database_->Prepare(Sqlite(scan).ValueOrDie()).ok());
}

TEST(ScanSqlTest, RefusesNamesThatSqlCannotSay) {
  const std::string nul("a\0b", 3);
  const std::vector<std::string DataSource::*> fields = {&DataSource::timestamp_field,
                                                         &DataSource::created_timestamp_column};
  for (const auto field : fields) {
    SqlScan scan = RowScan();
    scan.request.source.*field = nul;
    EXPECT_FAULT(Fault::kUser, "NUL", Sqlite(scan));
    EXPECT_FAULT(Fault::kUser, "NUL", CountSql(DialectOf(SqlProduct::kSqlite), scan));
  }
  SqlScan scan = RowScan();
  scan.keys = {nul};
  EXPECT_FAULT(Fault::kUser, "a join key", Sqlite(scan));
  scan.keys.clear();
  scan.columns = {{"", "b"}};
  EXPECT_FAULT(Fault::kUser, "empty: a column of the data source", Sqlite(scan));
  scan.columns = {{"a", nul}};
  EXPECT_FAULT(Fault::kUser, "a column of the view", Sqlite(scan));
  scan = RowScan();
  scan.request.source.date_partition_column = nul;
  EXPECT_OK(Sqlite(scan));
  EXPECT_FAULT(Fault::kUser, "the date partition column",
               CountSql(DialectOf(SqlProduct::kBigQuery), scan));
}

TEST(ScanSqlTest, RefusesColumnsOfOneName) {
  SqlScan scan = RowScan();
  scan.columns = {{"a", "c"}, {"b", "c"}};
  EXPECT_FAULT(Fault::kUser, "one name, or a reserved one: c", Sqlite(scan));
  for (const std::string name : {"__event_time", "__created_time", "__banquet_rank"}) {
    scan.columns = {{"a", name}};
    EXPECT_FAULT(Fault::kUser, "one name, or a reserved one: " + name, Sqlite(scan));
  }
}

TEST(ScanSqlTest, PassesOnWhatItsPartsRefuse) {
  SqlScan scan = RowScan();
  scan.request.source.timestamp_field.clear();
  EXPECT_FAULT(Fault::kBug, "no event time", Sqlite(scan));
  scan = RowScan();
  scan.request.window.end_us = int64_t{1} << 62;
  EXPECT_FAULT(Fault::kBug, "outside the years", Sqlite(scan));
  EXPECT_FAULT(Fault::kBug, "outside the years", CountSql(DialectOf(SqlProduct::kSqlite), scan));
  scan = RowScan();
  scan.request.source.date_partition_column = "day";
  scan.source.partition_format = "%d";
  EXPECT_FAULT(Fault::kUser, "largest first", ScanSql(DialectOf(SqlProduct::kBigQuery), scan));
}

}  // namespace
}  // namespace banquet
