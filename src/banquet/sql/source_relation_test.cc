#include "banquet/sql/source_relation.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

Result<std::string> Table(SqlProduct product, const std::string& table,
                          const SqlSource& source = {}) {
  DataSource data;
  data.name = "driver_source";
  data.table = table;
  return SourceRelation(DialectOf(product), data, source);
}

void ExpectTable(SqlProduct product, const std::string& table, const std::string& expected,
                 const SqlSource& source = {}) {
  ASSERT_OK_AND_ASSIGN(const std::string relation, Table(product, table, source));
  EXPECT_EQ(relation, expected);
}

SqlSource In(const std::string& database, const std::string& schema) {
  SqlSource source;
  source.database = database;
  source.schema = schema;
  return source;
}

TEST(SourceRelationTest, TakesASnowflakeOrRedshiftTableAsOneName) {
  ExpectTable(SqlProduct::kSnowflake, "T", "\"T\"");
  ExpectTable(SqlProduct::kSnowflake, "T", "\"PUBLIC\".\"T\"", In("", "PUBLIC"));
  ExpectTable(SqlProduct::kSnowflake, "a.b\"c", "\"D\".\"PUBLIC\".\"a.b\"\"c\"", In("D", "PUBLIC"));
  ExpectTable(SqlProduct::kSnowflake, "T", "\"T\"", In("D", ""));
  ExpectTable(SqlProduct::kRedshift, "t", "\"public\".\"t\"", In("", "public"));
}

TEST(SourceRelationTest, QuotesABigQueryPathAsAWhole) {
  ExpectTable(SqlProduct::kBigQuery, "p.d.t", "`p.d.t`", In("q", "e"));
  ExpectTable(SqlProduct::kBigQuery, "d.t", "`q.d.t`", In("q", "e"));
  ExpectTable(SqlProduct::kBigQuery, "t", "`q.e.t`", In("q", "e"));
  ExpectTable(SqlProduct::kBigQuery, "t", "`t`");
  ExpectTable(SqlProduct::kBigQuery, "example.com:p.d.t", "`example.com:p.d.t`", In("q", "e"));
  ExpectTable(SqlProduct::kBigQuery, "t` WHERE", "`t\\` WHERE`");
}

TEST(SourceRelationTest, ReadsASparkTableBetweenItsDots) {
  ExpectTable(SqlProduct::kSpark, "my-db.t 1", "`my-db`.`t 1`");
  ExpectTable(SqlProduct::kSpark, "t", "`c`.`d`.`t`", In("c", "d"));
  ExpectTable(SqlProduct::kSpark, "`a.b`.`t``1`", "`a.b`.`t``1`");
  EXPECT_FAULT(Fault::kUser, "is not a name in Spark SQL", Table(SqlProduct::kSpark, "a..b"));
  EXPECT_FAULT(Fault::kUser, "`a`b", Table(SqlProduct::kSpark, "`a`b"));
  EXPECT_FAULT(Fault::kUser, "`a", Table(SqlProduct::kSpark, "`a"));
  EXPECT_FAULT(Fault::kUser, "``", Table(SqlProduct::kSpark, "``"));
}

TEST(SourceRelationTest, ReadsOtherTablesAsSqlDoes) {
  ExpectTable(SqlProduct::kPostgres, "Driver_Stats", "\"driver_stats\"");
  ExpectTable(SqlProduct::kPostgres, "S.\"Driver \"\"Stats\"", "\"s\".\"Driver \"\"Stats\"");
  ExpectTable(SqlProduct::kPostgres, "t", "\"s\".\"t\"", In("", "s"));
  ExpectTable(SqlProduct::kPostgres, "user", "\"user\"");
  ExpectTable(SqlProduct::kPostgres, "größe", "\"größe\"");
  ExpectTable(SqlProduct::kDuckDb, "Lake.Main.T", "\"Lake\".\"Main\".\"T\"");
  ExpectTable(SqlProduct::kSqlite, "T$1", "\"T$1\"");
  for (const std::string table : {"t; DROP TABLE t", "t AS x", "(SELECT 1)", "f('x')", "1t", "a.",
                                  ".a", "\"a\" b", "\"a", " t"}) {
    EXPECT_FAULT(Fault::kUser, "is not a name in Postgres: quote it as SQL does, or give a query",
                 Table(SqlProduct::kPostgres, table));
  }
  EXPECT_FAULT(Fault::kUser, "NUL", Table(SqlProduct::kPostgres, std::string("a\0b", 3)));
}

TEST(SourceRelationTest, WrapsAQueryThatHasNoTable) {
  DataSource data;
  data.name = "driver_source";
  data.query = "SELECT 1;";
  ASSERT_OK_AND_ASSIGN(std::string relation,
                       SourceRelation(DialectOf(SqlProduct::kSqlite), data, {}));
  EXPECT_EQ(relation, "(\nSELECT 1\n)");
  data.table = "t";
  ASSERT_OK_AND_ASSIGN(relation, SourceRelation(DialectOf(SqlProduct::kSqlite), data, {}));
  EXPECT_EQ(relation, "\"t\"");
}

TEST(SourceRelationTest, NamesSparksFilesByFormatAndPath) {
  DataSource data;
  data.name = "driver_source";
  data.uri = "s3a://lake/it`s/";
  EXPECT_FAULT(Fault::kUser, "file format",
               SourceRelation(DialectOf(SqlProduct::kSpark), data, {}));
  data.file_format = "parquet";
  ASSERT_OK_AND_ASSIGN(const std::string relation,
                       SourceRelation(DialectOf(SqlProduct::kSpark), data, {}));
  EXPECT_EQ(relation, "`parquet`.`s3a://lake/it``s/`");
  EXPECT_FAULT(Fault::kUser, "neither a table nor a query: driver_source",
               SourceRelation(DialectOf(SqlProduct::kPostgres), data, {}));
  data.uri.push_back('\0');
  EXPECT_FAULT(Fault::kUser, "NUL", SourceRelation(DialectOf(SqlProduct::kSpark), data, {}));
}

}  // namespace
}  // namespace banquet
