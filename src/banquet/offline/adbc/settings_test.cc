#include "banquet/offline/adbc/settings.h"

#include "banquet/base/testing.h"

namespace banquet::adbc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ConfigNode Scalar(const std::string& text) {
  return {.kind = ConfigNode::Kind::kScalar, .scalar = text};
}

ConfigNode Map(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode map{.kind = ConfigNode::Kind::kMap};
  for (auto& [key, value] : entries) map.entries.push_back({key, std::move(value)});
  return map;
}

ConfigNode Postgres() {
  return Map({{"type", Scalar("postgres")},
              {"host", Scalar("h")},
              {"database", Scalar("d")},
              {"user", Scalar("u")},
              {"password", Scalar("it's \\")}});
}

TEST(SettingsTest, PostgresIsToldAsLibpqReadsIt) {
  ASSERT_OK_AND_ASSIGN(const StoreSettings settings, PostgresSettings(Postgres(), {}));
  ASSERT_EQ(settings.database.options.size(), 1u);
  EXPECT_EQ(settings.database.options[0].first, "uri");
  EXPECT_THAT(settings.database.options[0].second,
              HasSubstr("host='h' port='5432' dbname='d' user='u' password='it\\'s \\\\' "
                        "sslmode='require' options='-c search_path=public'"));
  EXPECT_THAT(settings.database.server.secrets, Contains("it's \\"));
  EXPECT_EQ(settings.database.server.words, "Postgres at h:5432/d");
  EXPECT_THAT(settings.database.drivers, ElementsAre("adbc_driver_postgresql", "postgresql"));
}

TEST(SettingsTest, PostgresWithASchemaFilesAndADriver) {
  ConfigNode block = Postgres();
  block.entries.push_back({"db_schema", Scalar("")});
  block.entries.push_back({"sslrootcert_path", Scalar("/ca")});
  block.entries.push_back({"driver", Scalar("/d.so")});
  ASSERT_OK_AND_ASSIGN(const StoreSettings settings, PostgresSettings(block, {}));
  EXPECT_THAT(settings.database.options[0].second, HasSubstr("search_path=u,public'"));
  EXPECT_THAT(settings.database.options[0].second, HasSubstr(" sslrootcert='/ca'"));
  EXPECT_THAT(settings.database.drivers, ElementsAre("/d.so"));
  block.entries.push_back({"hots", Scalar("x")});
  EXPECT_FAULT(Fault::kUser, "hots", PostgresSettings(block, {}));
}

TEST(SettingsTest, AdbcHandsOptionsOnAndKnowsSecrets) {
  const ConfigNode block = Map({{"dialect", Scalar("postgres")},
                                {"profile", Scalar("lake")},
                                {"schema", Scalar("gold")},
                                {"options", Map({{"uri", Scalar("postgresql://u:p%40ss@h/d")},
                                                 {"api_token", Scalar("tok")},
                                                 {"also", Scalar("password='quo ted' x=1")}})}});
  ASSERT_OK_AND_ASSIGN(const StoreSettings settings, AdbcSettings(block, {}));
  EXPECT_THAT(settings.database.drivers, IsEmpty());
  EXPECT_EQ(settings.schema, "gold");
  EXPECT_THAT(settings.database.options, Contains(Pair("profile", "lake")));
  EXPECT_THAT(settings.database.options, Contains(Pair("api_token", "tok")));
  EXPECT_THAT(settings.database.server.secrets, ElementsAre("p%40ss", "p@ss", "tok", "quo ted"));
}

TEST(SettingsTest, AdbcKnowsDuckDbsEntrypoint) {
  ASSERT_OK_AND_ASSIGN(const StoreSettings settings,
                       AdbcSettings(Map({{"dialect", Scalar("duckdb")}}), {}));
  EXPECT_THAT(settings.database.options, ElementsAre(Pair("entrypoint", "duckdb_adbc_init")));
  EXPECT_THAT(settings.database.drivers, ElementsAre("duckdb"));
}

TEST(SettingsTest, AdbcRefusesWhatItCannotHandOn) {
  for (const std::string dialect : {"snowflake", "bigquery"}) {
    EXPECT_FAULT(Fault::kUser, "not " + dialect + ", whose driver has to run in a process",
                 AdbcSettings(Map({{"dialect", Scalar(dialect)}}), {}));
  }
  EXPECT_FAULT(Fault::kUser, "not spark", AdbcSettings(Map({{"dialect", Scalar("spark")}}), {}));
  EXPECT_FAULT(Fault::kUser, "dialect", AdbcSettings(Map({}), {}));
  EXPECT_FAULT(Fault::kUser, "names with values",
               AdbcSettings(Map({{"dialect", Scalar("sqlite")}, {"options", Scalar("uri")}}), {}));
  EXPECT_FAULT(
      Fault::kUser, "options.uri: write text",
      AdbcSettings(Map({{"dialect", Scalar("sqlite")}, {"options", Map({{"uri", Map({})}})}}), {}));
}

}  // namespace
}  // namespace banquet::adbc
