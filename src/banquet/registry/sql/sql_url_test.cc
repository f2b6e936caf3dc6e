#include "banquet/registry/sql/sql_url.h"

#include "banquet/base/testing.h"

namespace banquet::sql_registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

SqlUrl Parsed(std::string_view text) { return ParseSqlUrl(text).ValueOrDie(); }

TEST(SqlUrlTest, TakesAUrlApart) {
  const SqlUrl url = Parsed(
      "postgresql+psycopg://us%40er:p%2Fw%3A%40d@db.example:5433/feast?sslmode=require&a=b+c");
  EXPECT_EQ(url.dialect, "postgresql");
  EXPECT_EQ(url.driver, "psycopg");
  EXPECT_EQ(url.user, "us@er");
  EXPECT_EQ(url.password, std::optional<std::string>("p/w:@d"));
  EXPECT_EQ(url.host, "db.example");
  EXPECT_EQ(url.port, "5433");
  EXPECT_EQ(url.database, "feast");
  EXPECT_THAT(url.query, ElementsAre(Pair("sslmode", "require"), Pair("a", "b c")));
}

TEST(SqlUrlTest, EveryPartButTheDialectMayBeMissing) {
  const SqlUrl bare = Parsed("mysql://");
  EXPECT_EQ(bare.dialect, "mysql");
  EXPECT_EQ(bare.driver, "");
  EXPECT_EQ(bare.password, std::nullopt);
  EXPECT_EQ(bare.host + bare.port + bare.database, "");
  const SqlUrl socket = Parsed("postgresql:///feast?host=/run/postgresql");
  EXPECT_EQ(socket.host, "");
  EXPECT_EQ(socket.database, "feast");
  EXPECT_THAT(socket.query, ElementsAre(Pair("host", "/run/postgresql")));
  const SqlUrl user = Parsed("mysql+pymysql://user@host/db");
  EXPECT_EQ(user.user, "user");
  EXPECT_EQ(user.password, std::nullopt);
  EXPECT_EQ(Parsed("mysql://user:@host/db").password, std::optional<std::string>(""));
  EXPECT_EQ(Parsed("mysql://host?charset=utf8mb4").host, "host");
}

TEST(SqlUrlTest, AnSqlitePathIsAbsoluteWithFourSlashes) {
  EXPECT_EQ(Parsed("sqlite:////folder/registry.db").database, "/folder/registry.db");
  EXPECT_EQ(Parsed("sqlite:///data/registry.db").database, "data/registry.db");
}

TEST(SqlUrlTest, AnAddressInBracketsMayHoldColons) {
  const SqlUrl url = Parsed("postgresql://[fe80::1]:5432/feast");
  EXPECT_EQ(url.host, "fe80::1");
  EXPECT_EQ(url.port, "5432");
  EXPECT_EQ(url.Shown(), "postgresql://[fe80::1]:5432/feast");
}

TEST(SqlUrlTest, WhatIsNoEscapeStays) {
  EXPECT_EQ(Parsed("mysql://u:100%@h/d").password, std::optional<std::string>("100%"));
  EXPECT_EQ(Parsed("mysql://u:%zz%4@h/d").password, std::optional<std::string>("%zz%4"));
  EXPECT_EQ(Parsed("mysql://u:%c3%A9@h/d").password, std::optional<std::string>("\xc3\xa9"));
}

TEST(SqlUrlTest, KeysWithoutAValueAreLeftOut) {
  EXPECT_THAT(Parsed("mysql://h/d?a=&b&c=1&").query, ElementsAre(Pair("c", "1")));
}

TEST(SqlUrlTest, NeitherPasswordNorQueryIsShown) {
  const SqlUrl url = Parsed("mysql+pymysql://user:s3cret@host:3306/db?ssl_key=s3cret");
  EXPECT_EQ(url.Shown(), "mysql://user@host:3306/db");
}

TEST(SqlUrlTest, RefusesWhatIsNoUrlWithoutRepeatingIt) {
  for (const char* text : {"data/s3cret.db", "", "://h/d", "mysql://u:p@h:s3cret/d",
                           "postgresql://[::1/s3cret", "mysql://u:p@s3cret@h/d"}) {
    const auto url = ParseSqlUrl(text);
    EXPECT_FAULT(Fault::kUser, "registry.path", url);
    EXPECT_THAT(url.status().message(), Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace banquet::sql_registry
