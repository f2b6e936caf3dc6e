#include "banquet/sql/unload_sql.h"

#include "banquet/base/testing.h"

// Whole statements are in testdata/, see golden_test.cc.

namespace banquet {
namespace {

SqlScan DriverScan() {
  SqlScan scan;
  scan.request.source.name = "driver_source";
  scan.request.source.table = "driver_stats";
  scan.request.source.timestamp_field = "event_ts";
  scan.request.columns = {"driver_id", "seen"};
  scan.request.window = {1'617'235'200'000'000, 1'617'321'600'123'456};
  scan.source.database = "lake";
  scan.source.schema = "gold";
  scan.source.zoned_columns = {"seen"};
  scan.keys = {"driver_id"};
  scan.newest = NewestRows::kOne;
  scan.null_rows = NullRows::kDrop;
  return scan;
}

Result<std::string> Unload(SqlProduct product, const UnloadTarget& target,
                           const SqlScan& scan = DriverScan()) {
  return UnloadSql(DialectOf(product), scan, target);
}

TEST(UnloadSqlTest, LeavesNaiveTimesOfSnowflakeAndTurnsDates) {
  SqlScan scan = DriverScan();
  scan.request.source.created_timestamp_column = "created";
  scan.source.event_time = TimeKind::kDate;
  scan.source.created_time = TimeKind::kNaive;
  ASSERT_OK_AND_ASSIGN(const std::string statement,
                       Unload(SqlProduct::kSnowflake, {.folder_url = "@stage/run"}, scan));
  EXPECT_THAT(statement, ::testing::HasSubstr("COPY INTO '@stage/run/'\n"));
  EXPECT_THAT(statement, ::testing::HasSubstr(
                             "  banquet_source.\"event_ts\"::TIMESTAMP_NTZ AS \"__event_time\",\n"
                             "  banquet_source.\"created\" AS \"__created_time\"\n"));
  EXPECT_THAT(statement, ::testing::Not(::testing::HasSubstr("STORAGE_INTEGRATION")));
  EXPECT_THAT(statement, ::testing::EndsWith("DETAILED_OUTPUT = TRUE"));
}

TEST(UnloadSqlTest, NamesGooglesBucketsAsSnowflakeDoes) {
  ASSERT_OK_AND_ASSIGN(const std::string statement,
                       Unload(SqlProduct::kSnowflake, {.folder_url = "gs://lake/run/",
                                                       .storage_integration = "my \"int\""}));
  EXPECT_THAT(statement, ::testing::HasSubstr("COPY INTO 'gcs://lake/run/'\n"));
  EXPECT_THAT(statement, ::testing::HasSubstr("STORAGE_INTEGRATION = \"my \"\"int\"\"\"\n"));
}

TEST(UnloadSqlTest, RefusesWhatCannotBeUnloaded) {
  EXPECT_FAULT(Fault::kUser, "Snowflake cannot unload to this folder",
               Unload(SqlProduct::kSnowflake, {.folder_url = "/tmp/run"}));
  EXPECT_FAULT(Fault::kUser, "Google Cloud Storage alone",
               Unload(SqlProduct::kBigQuery, {.folder_url = "s3://lake/run"}));
  for (const SqlProduct product : {SqlProduct::kSnowflake, SqlProduct::kBigQuery}) {
    EXPECT_FAULT(Fault::kUser, "neither * nor NUL",
                 Unload(product, {.folder_url = "gs://lake/*/run"}));
  }
  EXPECT_FAULT(Fault::kUser, "NUL",
               Unload(SqlProduct::kSnowflake,
                      {.folder_url = "@s", .storage_integration = std::string("a\0b", 3)}));
  EXPECT_FAULT(Fault::kUser, "not supported for Postgres",
               Unload(SqlProduct::kPostgres, {.folder_url = "s3://lake/run"}));
  SqlScan nowhere = DriverScan();
  nowhere.request.source.table.clear();
  EXPECT_FAULT(Fault::kUser, "neither a table nor a query",
               Unload(SqlProduct::kSnowflake, {.folder_url = "@s"}, nowhere));
}

TEST(LastChangeSqlTest, SaysWhenNobodyCanTell) {
  SqlScan scan = DriverScan();
  const auto asked = [&](SqlProduct product) {
    return LastChangeSql(DialectOf(product), scan.request.source, scan.source);
  };
  ASSERT_OK_AND_ASSIGN(std::optional<std::string> statement, asked(SqlProduct::kBigQuery));
  EXPECT_EQ(statement, std::nullopt);
  scan.request.source.table.clear();
  scan.request.source.query = "SELECT 1";
  ASSERT_OK_AND_ASSIGN(statement, asked(SqlProduct::kSnowflake));
  EXPECT_EQ(statement, std::nullopt);
  scan.request.source.table = std::string("a\0b", 3);
  EXPECT_FAULT(Fault::kUser, "NUL", asked(SqlProduct::kSnowflake));
}

}  // namespace
}  // namespace banquet
