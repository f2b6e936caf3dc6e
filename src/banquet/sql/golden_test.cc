// What each dialect makes of the same scans, as a person reads it: testdata/<product>.sql.

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "banquet/base/testing.h"
#include "banquet/sql/scan_sql.h"
#include "banquet/sql/unload_sql.h"

namespace banquet {
namespace {

SqlScan DriverScan() {
  SqlScan scan;
  scan.request.source.name = "driver_source";
  scan.request.source.table = "driver_stats";
  scan.request.source.timestamp_field = "event_ts";
  scan.request.source.created_timestamp_column = "created";
  scan.request.source.date_partition_column = "day";
  scan.request.columns = {"driver_id", "city", "rate"};
  scan.request.window = {1'617'235'200'000'000, 1'617'321'600'123'456};
  scan.source.database = "lake";
  scan.source.schema = "gold";
  scan.source.text_columns = {"city"};
  scan.source.zoned_columns = {"seen"};
  scan.keys = {"driver_id", "city"};
  return scan;
}

SqlScan NewestOfATable() {
  SqlScan scan = DriverScan();
  scan.newest = NewestRows::kOne;
  return scan;
}

SqlScan NewestByPositionOfNaiveTimes() {
  SqlScan scan = NewestOfATable();
  scan.source.event_time = scan.source.created_time = TimeKind::kNaive;
  scan.source.rows_have_position = true;
  scan.null_rows = NullRows::kDrop;
  return scan;
}

SqlScan TiesOfAnEntitylessQueryOfDates() {
  SqlScan scan = DriverScan();
  scan.request.source.table.clear();
  scan.request.source.query = "SELECT * FROM events -- all of them;\n;";
  scan.request.source.created_timestamp_column.clear();
  scan.request.source.date_partition_column.clear();
  scan.source.event_time = TimeKind::kDate;
  scan.columns = {{"rate", "conv \"rate\""}, {"x.y`z", "select"}};
  scan.keys.clear();
  scan.newest = NewestRows::kWithTies;
  return scan;
}

std::string Text(const Result<std::string>& statement) {
  return statement.ok() ? *statement : MessageOf(statement.status());
}

std::string StatementsOf(const SqlDialect& dialect) {
  std::string text;
  const auto add = [&text](std::string_view title, const std::string& statement) {
    text += fmt::format("{}-- {}\n{};\n", text.empty() ? "" : "\n", title, statement);
  };
  for (const std::string_view setup : dialect.session_setup) {
    add("session", std::string(setup));
  }
  add("all rows, rows without key or time among them", Text(ScanSql(dialect, DriverScan())));
  add("newest row per key of a table, rows without key or time beside them",
      Text(ScanSql(dialect, NewestOfATable())));
  add("the same of naive times, by position where there is one, nulls dropped",
      Text(ScanSql(dialect, NewestByPositionOfNaiveTimes())));
  add("newest rows, ties too, of a query, entityless, by date, renamed",
      Text(ScanSql(dialect, TiesOfAnEntitylessQueryOfDates())));
  add("counts", Text(CountSql(dialect, NewestOfATable())));
  SqlScan unloaded = NewestOfATable();
  unloaded.request.columns.push_back("seen");
  unloaded.null_rows = NullRows::kDrop;
  add("unload", Text(UnloadSql(dialect, unloaded,
                               {.folder_url = "gs://lake/it's/run",
                                .storage_integration = "lake_gcs",
                                .file_bytes_max = 104'857'600})));
  const auto changed = LastChangeSql(dialect, unloaded.request.source, unloaded.source);
  add("last change", changed.ValueOrDie().value_or("unknown"));
  return text;
}

class GoldenTest : public ::testing::TestWithParam<SqlProduct> {};

std::string FileOf(SqlProduct product) {
  switch (product) {
    case SqlProduct::kSnowflake:
      return "snowflake";
    case SqlProduct::kBigQuery:
      return "bigquery";
    case SqlProduct::kPostgres:
      return "postgres";
    case SqlProduct::kDuckDb:
      return "duckdb";
    case SqlProduct::kSqlite:
      return "sqlite";
    case SqlProduct::kSpark:
      return "spark";
    case SqlProduct::kRedshift:
      return "redshift";
  }
  return "";
}

TEST_P(GoldenTest, WritesTheStatementsOfItsFile) {
  const std::string path = fmt::format("{}/{}.sql", BANQUET_SQL_TESTDATA, FileOf(GetParam()));
  std::ifstream file(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  const std::string statements = StatementsOf(DialectOf(GetParam()));
  if (statements == golden) return;
  const std::string other = ::testing::TempDir() + FileOf(GetParam()) + ".sql";
  std::ofstream(other, std::ios::binary) << statements;
  EXPECT_EQ(statements, golden) << "If it is meant: cp " << other << " " << path;
}

INSTANTIATE_TEST_SUITE_P(EveryProduct, GoldenTest,
                         ::testing::Values(SqlProduct::kSnowflake, SqlProduct::kBigQuery,
                                           SqlProduct::kPostgres, SqlProduct::kDuckDb,
                                           SqlProduct::kSqlite, SqlProduct::kSpark,
                                           SqlProduct::kRedshift),
                         [](const auto& product) { return FileOf(product.param); });

}  // namespace
}  // namespace banquet
