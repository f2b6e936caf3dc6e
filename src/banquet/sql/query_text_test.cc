#include "banquet/sql/query_text.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

Result<std::string> Wrap(SqlProduct product, std::string_view query) {
  return WrapQuery(DialectOf(product), query);
}

void ExpectWrapped(SqlProduct product, const std::string& query, const std::string& kept) {
  ASSERT_OK_AND_ASSIGN(const std::string wrapped, Wrap(product, query));
  EXPECT_EQ(wrapped, "(\n" + kept + "\n)");
}

void ExpectSame(SqlProduct product, const std::string& query) {
  ExpectWrapped(product, query, query);
}

TEST(QueryTextTest, DropsSemicolonsAtTheEndAndKeepsComments) {
  ExpectSame(SqlProduct::kPostgres, "SELECT 1");
  ExpectWrapped(SqlProduct::kPostgres, " \n SELECT 1 ; ;\t\n", "SELECT 1");
  ExpectWrapped(SqlProduct::kPostgres, "SELECT 1; -- why (", "SELECT 1 -- why (");
  ExpectWrapped(SqlProduct::kPostgres, "SELECT 1 /* ) */ ; /* ; */", "SELECT 1 /* ) */  /* ; */");
  ExpectWrapped(SqlProduct::kPostgres, "-- a ; b\r(SELECT 1);", "-- a ; b\r(SELECT 1)");
}

TEST(QueryTextTest, TakesQuotedSemicolonsAndParenthesesAsText) {
  for (const SqlProduct product :
       {SqlProduct::kSnowflake, SqlProduct::kBigQuery, SqlProduct::kPostgres, SqlProduct::kDuckDb,
        SqlProduct::kSqlite, SqlProduct::kSpark, SqlProduct::kRedshift}) {
    ExpectSame(product, "SELECT ';)' FROM (SELECT 1)");
    ExpectSame(product, "SELECT 'it''s;' FROM t");
    ExpectSame(product, "SELECT \";--\" FROM t");
  }
  ExpectSame(SqlProduct::kBigQuery,
             "SELECT `;)`, '\\';', \"\\\";\", '''it's;''', \"\"\"a\";\"\"\"");
  ExpectSame(SqlProduct::kSpark, "SELECT `;)`, `a\\`, '\\';', \"\\\";\"");
  ExpectSame(SqlProduct::kSnowflake, "SELECT '\\';', $$ it's ; $$, \"a\\\"");
  ExpectSame(SqlProduct::kRedshift, "SELECT '\\';'");
  ExpectSame(SqlProduct::kPostgres, "SELECT '\\', E'\\';', e'\\'(', $a$ ; $$ ' $a$, $1, f$b, $c");
  ExpectSame(SqlProduct::kPostgres, "E'\\''");
  ExpectSame(SqlProduct::kSqlite, "SELECT [;)'], `;`, $a");
}

TEST(QueryTextTest, KnowsTheCommentsOfTheProduct) {
  ExpectWrapped(SqlProduct::kBigQuery, "#standardSQL ;(\nSELECT 1;# end",
                "#standardSQL ;(\nSELECT 1# end");
  ExpectWrapped(SqlProduct::kSnowflake, "// ;(\nSELECT 4 / 2;", "// ;(\nSELECT 4 / 2");
  ExpectSame(SqlProduct::kPostgres, "SELECT a #> b, 1 /* a /* ; */ ; */");
  ExpectSame(SqlProduct::kSnowflake, "SELECT 1 /* a /* ; */");
  ExpectSame(SqlProduct::kSnowflake, "SELECT 1 /*/ ; */");
}

TEST(QueryTextTest, RefusesWhatWouldLeaveItsParentheses) {
  EXPECT_FAULT(Fault::kUser, "second statement",
               Wrap(SqlProduct::kPostgres, "SELECT 1; DROP TABLE t"));
  EXPECT_FAULT(Fault::kUser, "second statement", Wrap(SqlProduct::kPostgres, "; SELECT 1"));
  EXPECT_FAULT(Fault::kUser, "that it did not open",
               Wrap(SqlProduct::kPostgres, "SELECT 1) AS a, (SELECT 2"));
  EXPECT_FAULT(Fault::kUser, "parenthesis open", Wrap(SqlProduct::kPostgres, "SELECT (1"));
  EXPECT_FAULT(Fault::kUser, "a comment open", Wrap(SqlProduct::kSqlite, "SELECT 1 /* end"));
  EXPECT_FAULT(Fault::kUser, "a comment open", Wrap(SqlProduct::kDuckDb, "SELECT 1 /* /* */"));
  EXPECT_FAULT(Fault::kUser, "a quote open: '", Wrap(SqlProduct::kPostgres, "SELECT 'a"));
  EXPECT_FAULT(Fault::kUser, "a quote open: '", Wrap(SqlProduct::kSnowflake, "SELECT 'a\\'"));
  EXPECT_FAULT(Fault::kUser, "a quote open: '", Wrap(SqlProduct::kSnowflake, "SELECT 'a\\"));
  EXPECT_FAULT(Fault::kUser, "a quote open: '''", Wrap(SqlProduct::kBigQuery, "SELECT '''a'"));
  EXPECT_FAULT(Fault::kUser, "a quote open: ]", Wrap(SqlProduct::kSqlite, "SELECT [a"));
  EXPECT_FAULT(Fault::kUser, "a quote open: $a$", Wrap(SqlProduct::kDuckDb, "SELECT $a$ b $$"));
  EXPECT_FAULT(Fault::kUser, "NUL",
               Wrap(SqlProduct::kSqlite, std::string_view("SELECT 1 -- \0", 13)));
  EXPECT_FAULT(Fault::kUser, "query is empty", Wrap(SqlProduct::kSqlite, " /* nothing */ ;"));
}

}  // namespace
}  // namespace banquet
