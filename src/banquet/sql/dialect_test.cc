#include "banquet/sql/dialect.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using std::string_view;

TEST(DialectTest, QuotesNamesThatHoldQuotesDotsSpacesAndKeywords) {
  const auto quoted = [](SqlProduct product, string_view name) {
    return DialectOf(product).QuoteName(name);
  };
  for (const SqlProduct product :
       {SqlProduct::kSnowflake, SqlProduct::kPostgres, SqlProduct::kDuckDb, SqlProduct::kSqlite,
        SqlProduct::kRedshift}) {
    EXPECT_EQ(quoted(product, "a\" FROM x; --"), "\"a\"\" FROM x; --\"");
    EXPECT_EQ(quoted(product, "a.b c`d\\"), "\"a.b c`d\\\"");
    EXPECT_EQ(quoted(product, "select"), "\"select\"");
    EXPECT_EQ(quoted(product, "größe"), "\"größe\"");
  }
  EXPECT_EQ(quoted(SqlProduct::kSpark, "a` FROM x; --"), "`a`` FROM x; --`");
  EXPECT_EQ(quoted(SqlProduct::kSpark, "a\\"), "`a\\`");
  EXPECT_EQ(quoted(SqlProduct::kBigQuery, "a` FROM x; --"), "`a\\` FROM x; --`");
  EXPECT_EQ(quoted(SqlProduct::kBigQuery, "a\\` \n\r\""), "`a\\\\\\` \\n\\r\"`");
}

TEST(DialectTest, QuotesTextsByTheEscapesOfTheProduct) {
  const auto quoted = [](SqlProduct product) { return DialectOf(product).QuoteText("it's \\ \n"); };
  EXPECT_EQ(quoted(SqlProduct::kPostgres), "'it''s \\ \n'");
  EXPECT_EQ(quoted(SqlProduct::kDuckDb), "'it''s \\ \n'");
  EXPECT_EQ(quoted(SqlProduct::kSqlite), "'it''s \\ \n'");
  EXPECT_EQ(quoted(SqlProduct::kSnowflake), "'it''s \\\\ \\n'");
  EXPECT_EQ(quoted(SqlProduct::kRedshift), "'it''s \\\\ \\n'");
  EXPECT_EQ(quoted(SqlProduct::kBigQuery), "'it\\'s \\\\ \\n'");
  EXPECT_EQ(quoted(SqlProduct::kSpark), "'it\\'s \\\\ \\n'");
}

TEST(DialectTest, SetsTheSessionToUtcWhereNaiveTimesDependOnIt) {
  for (const SqlProduct product :
       {SqlProduct::kSnowflake, SqlProduct::kPostgres, SqlProduct::kDuckDb, SqlProduct::kSpark,
        SqlProduct::kRedshift}) {
    ASSERT_FALSE(DialectOf(product).session_setup.empty());
    EXPECT_THAT(std::string(DialectOf(product).session_setup[0]), ::testing::HasSubstr("UTC"));
  }
  EXPECT_TRUE(DialectOf(SqlProduct::kBigQuery).session_setup.empty());
  EXPECT_TRUE(DialectOf(SqlProduct::kSqlite).session_setup.empty());
}

TEST(DialectTest, FindsItselfByProduct) {
  for (int product = 0; product <= static_cast<int>(SqlProduct::kRedshift); ++product) {
    EXPECT_EQ(static_cast<int>(DialectOf(static_cast<SqlProduct>(product)).product), product);
  }
}

TEST(DialectTest, RefusesNamesThatNoProductTakes) {
  EXPECT_OK(CheckName("a join key", "; DROP TABLE x"));
  EXPECT_FAULT(Fault::kUser, "A name is empty: a join key", CheckName("a join key", ""));
  EXPECT_FAULT(Fault::kUser, "NUL", CheckName("a join key", string_view("a\0b", 3)));
}

}  // namespace
}  // namespace banquet
