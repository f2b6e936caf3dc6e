#include "banquet/config/repo_config.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kLeast[] = "project: p\nregistry: data/registry.db\n";

// A folder of its own for each test.
class RepoConfigTest : public ::testing::Test {
 protected:
  RepoConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "repo_config_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~RepoConfigTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& text, const std::string& name = "feature_store.yaml") const {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  Result<RepoConfig> Load() const {
    return LoadRepoConfig({.chdir = folder_, .yaml_file = {}, .overrides = {}, .environment = {}});
  }
  Result<RepoConfig> Load(const std::string& text) const {
    Write(text);
    return Load();
  }
  Result<RepoConfig> LoadWith(const std::string& more) const { return Load(kLeast + more); }

  std::string folder_;
};

TEST_F(RepoConfigTest, TheLeastFileGetsFeastsDefaults) {
  ASSERT_OK_AND_ASSIGN(const RepoConfig config, Load(kLeast));
  EXPECT_EQ(config.project, "p");
  EXPECT_EQ(config.repo_path, folder_);
  EXPECT_EQ(config.yaml_path, folder_ + "/feature_store.yaml");
  EXPECT_EQ(config.provider, "local");
  EXPECT_EQ(config.registry.type, "file");
  EXPECT_EQ(config.registry.path, folder_ + "/data/registry.db");
  EXPECT_FALSE(config.registry.online_feature_view_versioning);
  EXPECT_EQ(config.online_store_type, "sqlite");
  EXPECT_EQ(config.online_store.kind, ConfigNode::Kind::kNull);
  EXPECT_EQ(config.offline_store_type, "dask");
  EXPECT_EQ(config.batch_engine_type, "local");
  EXPECT_EQ(config.entity_key_serialization_version, 3);
  EXPECT_FALSE(config.pull_latest_features);
  EXPECT_EQ(config.online_write_batch_size, std::nullopt);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(RepoConfigTest, EveryKeyIsRead) {
  ASSERT_OK_AND_ASSIGN(const RepoConfig config, Load(R"(
project: driver-ranking
project_description: text
provider: aws
registry:
  registry_type: file
  path: s3://bucket/registry.db
  registry_store_type: my.S3RegistryStore
  cache_ttl_seconds: 60
  enable_online_feature_view_versioning: yes
online_store:
  type: redis
  connection_string: localhost:6379
offline_store: duckdb
batch_engine: {type: local, backend: polars}
entity_key_serialization_version: 2
coerce_tz_aware: false
materialization: {pull_latest_features: true, online_write_batch_size: 1_000}
auth: {type: oidc}
mlflow: {anything: 1}
nobody_knows_this: [1, 2]
banquet: {threads: 4}
)"));
  EXPECT_EQ(config.project, "driver-ranking");
  EXPECT_EQ(config.provider, "aws");
  EXPECT_EQ(config.registry.path, "s3://bucket/registry.db");
  EXPECT_EQ(config.registry.registry_store_type, "my.S3RegistryStore");
  EXPECT_TRUE(config.registry.online_feature_view_versioning);
  EXPECT_EQ(config.online_store_type, "redis");
  ASSERT_NE(config.online_store.Find("connection_string"), nullptr);
  EXPECT_EQ(config.online_store.Find("connection_string")->scalar, "localhost:6379");
  EXPECT_EQ(config.online_store.Find("connection_string")->location.line, 13);
  EXPECT_EQ(config.offline_store_type, "duckdb");
  EXPECT_EQ(config.batch_engine_type, "local");
  EXPECT_NE(config.batch_engine.Find("backend"), nullptr);
  EXPECT_EQ(config.entity_key_serialization_version, 2);
  EXPECT_TRUE(config.pull_latest_features);
  EXPECT_EQ(config.online_write_batch_size, 1'000);
  EXPECT_EQ(config.options.threads, 4);
  EXPECT_THAT(
      config.warnings,
      ElementsAre(HasSubstr("yaml:16: entity_key_serialization_version: versions below 3")));
}

TEST_F(RepoConfigTest, RequiredKeysAreNamed) {
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml: project: required", Load("registry: r.db\n"));
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml: registry: required", Load("project: p\n"));
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml: registry: required",
               Load("project: p\nregistry:\n"));
  EXPECT_FAULT(Fault::kUser, "Is 'projet' meant to be it?", Load("projet: p\nregistry: r.db\n"));
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml:2: registry.path: required",
               Load("project: p\nregistry: {registry_type: file}\n"));
}

TEST_F(RepoConfigTest, ProjectNamesFollowFeastsRules) {
  const auto load = [&](const std::string& name, const std::string& store) {
    return Load("project: " + name + "\nregistry: r.db\nonline_store: " + store + "\n");
  };
  for (const char* name : {"a", "a_b", "9x", "d\xC3\xA9j\xC3\xA0", "'123'"})
    EXPECT_OK(load(name, "sqlite"));
  EXPECT_OK(load("a-b", "redis"));
  EXPECT_OK(load("a-b", "null"));
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml:1: project: with the SQLite online store",
               load("a-b", "sqlite"));
  EXPECT_FAULT(Fault::kUser, "with the SQLite", Load("project: a-b\nregistry: r.db\n"));
  EXPECT_FAULT(Fault::kUser, "with the SQLite",
               load("a-b", "feast.infra.online_stores.sqlite.SqliteOnlineStore"));
  for (const char* name : {"_a", "-a", "'a b'", "a.b", "a/b", "''"}) {
    EXPECT_FAULT(Fault::kUser, "project: a project's name has letters", load(name, "redis"));
  }
  EXPECT_FAULT(Fault::kUser, "put it in quotes", load("123", "redis"));
  EXPECT_FAULT(Fault::kUser, "put it in quotes", load("yes", "redis"));
  EXPECT_FAULT(Fault::kUser, "project: write text", load("[a]", "redis"));
}

TEST_F(RepoConfigTest, TheOnlineStoreMayBeAWordAMapOrNone) {
  const auto type_of = [&](const std::string& block) -> std::string {
    const Result<RepoConfig> config = LoadWith("online_store: " + block + "\n");
    return config.ok() ? config->online_store_type : config.status().ToString();
  };
  EXPECT_EQ(type_of("redis"), "redis");
  EXPECT_EQ(type_of("{path: x.db}"), "sqlite");
  EXPECT_EQ(type_of("{type: dynamodb, region: eu}"), "dynamodb");
  for (const char* none : {"null", "None", "NULL", "'none'", "~", ""})
    EXPECT_EQ(type_of(none), "") << none;
  EXPECT_EQ(type_of("my.module.CustomOnlineStore"), "my.module.CustomOnlineStore");
  EXPECT_FAULT(Fault::kUser, "yaml:3: online_store: write a type, or keys",
               LoadWith("online_store: [a]\n"));
  EXPECT_FAULT(Fault::kUser, "yaml:4: online_store.type: write text",
               LoadWith("online_store:\n  type: [a]\n"));
  EXPECT_FAULT(Fault::kUser, "online_store: is empty", LoadWith("online_store: ''\n"));
  ASSERT_OK_AND_ASSIGN(const RepoConfig word, LoadWith("online_store: redis\n"));
  EXPECT_EQ(word.online_store.kind, ConfigNode::Kind::kNull);  // A word has no keys.
  EXPECT_EQ(word.online_store.location.line, 3);
}

TEST_F(RepoConfigTest, ClassPathsOfFeastBecomeShortWords) {
  const std::pair<std::string, std::string> classes[] = {
      {"feast.infra.online_stores.sqlite.SqliteOnlineStore", "sqlite"},
      {"feast.infra.online_stores.redis.RedisOnlineStore", "redis"},
      {"feast.infra.online_stores.dynamodb.DynamoDBOnlineStore", "dynamodb"},
      {"feast.infra.online_stores.contrib.postgres.PostgreSQLOnlineStore", "postgres"},
      {"feast.infra.online_stores.postgres_online_store.postgres.PostgreSQLOnlineStore",
       "postgres"}};
  for (const auto& [path, word] : classes) {
    ASSERT_OK_AND_ASSIGN(const RepoConfig config, LoadWith("online_store: {type: " + path + "}\n"));
    EXPECT_EQ(config.online_store_type, word);
  }
  ASSERT_OK_AND_ASSIGN(
      const RepoConfig config,
      LoadWith("offline_store: feast.infra.offline_stores.duckdb.DuckDBOfflineStore\n"
               "batch_engine: feast.infra.compute_engines.local.compute.LocalComputeEngine\n"));
  EXPECT_EQ(config.offline_store_type, "duckdb");
  EXPECT_EQ(config.batch_engine_type, "local");
}

TEST_F(RepoConfigTest, RegistriesOfOtherTypesArePassedOn) {
  ASSERT_OK_AND_ASSIGN(
      const RepoConfig config,
      Load("project: p\nregistry: {registry_type: sql, path: 'postgresql://h/db'}\n"));
  EXPECT_EQ(config.registry.type, "sql");
  EXPECT_EQ(config.registry.path, "postgresql://h/db");
  EXPECT_OK(Load("project: p\nregistry: {registry_type: snowflake.registry, database: d}\n"));
}

TEST_F(RepoConfigTest, RegistryPathsCountFromTheRepository) {
  const auto path_of = [&](const std::string& path) {
    const Result<RepoConfig> config = Load("project: p\nregistry: " + path + "\n");
    return config.ok() ? config->registry.path : config.status().ToString();
  };
  EXPECT_EQ(path_of("./r.db"), folder_ + "/r.db");
  EXPECT_EQ(path_of("../r.db"), folder_ + "/../r.db");
  EXPECT_EQ(path_of("/var/r.db"), "/var/r.db");
  EXPECT_EQ(path_of("file:///var/r.db"), "/var/r.db");
  EXPECT_EQ(path_of("gs://bucket/r.db"), "gs://bucket/r.db");
}

TEST_F(RepoConfigTest, WrongValuesAreRefusedWithTheirPlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"provider: locl", "yaml:3: provider: write local, gcp"},
      {"provider: locl", "Did you mean 'local'?"},
      {"provider: [local]", "provider: write text"},
      {"entity_key_serialization_version: '3'",
       "yaml:3: entity_key_serialization_version: write a whole number"},
      {"entity_key_serialization_version: three", "write a whole number without quotes"},
      {"entity_key_serialization_version: 99999999999", "write a whole number"},
      {"entity_key_serialization_version:", "write a whole number"},
      {"materialization: 5", "materialization: write keys with values"},
      {"materialization: {pull_latest_features: 'true'}",
       "pull_latest_features: write true or false, without quotes"},
      {"materialization: {online_write_batch_size: 0}",
       "online_write_batch_size: write a whole number of rows above 0"},
      {"materialization: {online_write_batch_size: many}",
       "online_write_batch_size: write a whole number of rows"},
      {"auth: {type: oidcc}",
       "auth.type: write no_auth, kubernetes or oidc, not 'oidcc'. Did you mean 'oidc'?"},
      {"batch_engine: [local]", "batch_engine: write a type"},
      {"offline_store: {type: {}}", "offline_store.type: write text"},
      {"banquet: {overwrit: newest}",
       "yaml:3: banquet.overwrit: unknown key. Did you mean 'overwrite'?"},
      {"banquet: newest", "yaml:3: banquet: write keys with values"},
      {"banquet:\n  threads: 9999", "yaml:4: banquet.threads: must be 0 to 1024, not 9999"},
  };
  for (const auto& [line, message] : cases) {
    SCOPED_TRACE(line);
    EXPECT_FAULT(Fault::kUser, message, LoadWith(line + "\n"));
  }
  EXPECT_FAULT(Fault::kUser, "yaml:2: registry: write text", Load("project: p\nregistry: [a]\n"));
  EXPECT_FAULT(Fault::kUser, "yaml:2: registry.path: write text",
               Load("project: p\nregistry: {path: [a]}\n"));
  EXPECT_FAULT(Fault::kUser, "registry.enable_online_feature_view_versioning: write true or false",
               Load("project: p\nregistry: {path: a, enable_online_feature_view_versioning: 1}\n"));
}

TEST_F(RepoConfigTest, SlipsThatFeastIgnoresAreWarnedOf) {
  ASSERT_OK_AND_ASSIGN(const RepoConfig config,
                       Load("project: p\n"
                            "registry: {path: r.db, cache_ttl_second: 1}\n"
                            "banqet: {threads: 1}\n"
                            "flags: {alpha: true}\n"
                            "offline_store: {type: dask, note: '${NOT_SET}'}\n"
                            "project: q\n"));
  EXPECT_THAT(
      config.warnings,
      ElementsAre(
          HasSubstr("yaml:6: project: stands twice"),
          HasSubstr("yaml:3: banqet: unknown key, without effect. Did you mean 'banquet'?"),
          HasSubstr("yaml:5: offline_store.note: the environment variable NOT_SET is not set"),
          HasSubstr("registry.cache_ttl_second: unknown key, without effect."),
          HasSubstr("yaml:4: flags: has no effect")));
  EXPECT_EQ(config.project, "q");
}

TEST_F(RepoConfigTest, FurtherOnlineStoresHaveNamesOfTheirOwnAndPathsThatAreSet) {
  const std::string block = std::string(kLeast) + "online_store: {type: sqlite, path: a.db}\n";
  ASSERT_OK_AND_ASSIGN(
      const RepoConfig config,
      Load(block + "banquet: {online_stores: {second: {type: sqlite, path: b.db}}}\n"));
  EXPECT_EQ(config.options.online_stores.size(), 1u);
  EXPECT_FAULT(Fault::kUser, "yaml:4: banquet.online_stores.sqlite: the report calls online_store",
               Load(block + "banquet: {online_stores: {sqlite: {type: sqlite, path: b.db}}}\n"));
  EXPECT_FAULT(
      Fault::kUser,
      "banquet.online_stores.second.path: the environment variable NOT_SET is not set",
      Load(block + "banquet: {online_stores: {second: {type: sqlite, path: \"${NOT_SET}/b\"}}}\n"));
}

TEST_F(RepoConfigTest, AnUnsetVariableInAPathIsRefusedByName) {
  EXPECT_FAULT(Fault::kUser, "yaml:2: registry: the environment variable NOT_SET is not set",
               Load("project: p\nregistry: ${NOT_SET}/r.db\n"));
  EXPECT_FAULT(Fault::kUser, "yaml:2: registry.path: the environment variable NOT_SET is not set",
               Load("project: p\nregistry: {path: '${NOT_SET}/r.db'}\n"));
  EXPECT_FAULT(Fault::kUser, "yaml:3: online_store.path: the environment variable NOT_SET",
               Load("project: p\nregistry: r.db\nonline_store: {path: 'a/${NOT_SET}.db'}\n"));
  EXPECT_FAULT(Fault::kUser, "yaml:3: banquet.spill_directory: the environment variable NOT_SET",
               Load("project: p\nregistry: r.db\nbanquet: {spill_directory: '${NOT_SET}'}\n"));
}

TEST_F(RepoConfigTest, ArgumentsWinOverTheEnvironmentAndThatOverTheDefault) {
  Write("project: default\nregistry: r.db\n");
  Write("project: named\nregistry: r.db\n", "other/named.yaml");
  Write("project: argument\nregistry: r.db\n", "other/argument.yaml");
  ConfigRequest request{.chdir = {}, .yaml_file = {}, .overrides = {}, .environment = {}};
  request.environment["FEATURE_REPO_DIR_ENV_VAR"] = folder_;
  ASSERT_OK_AND_ASSIGN(RepoConfig config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "default");
  request.environment["FEAST_FS_YAML_FILE_PATH"] = folder_ + "/other/named.yaml";
  ASSERT_OK_AND_ASSIGN(config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "named");
  EXPECT_EQ(config.registry.path,
            folder_ + "/r.db");  // From the repository, not from the file's folder.
  request.yaml_file = folder_ + "/other/argument.yaml";
  request.chdir = folder_ + "/other/.";
  ASSERT_OK_AND_ASSIGN(config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "argument");
  EXPECT_EQ(config.repo_path, folder_ + "/other");
}

TEST_F(RepoConfigTest, TheBase64VariableWinsOverEveryFile) {
  Write("project: file\nregistry: r.db\n");
  // "project: $NAME\nregistry: r.db\n"
  const std::string encoded = "cHJvamVjdDogJE5BTUUKcmVn\naXN0cnk6IHIuZGIK";
  ConfigRequest request{.chdir = folder_, .yaml_file = {}, .overrides = {}, .environment = {}};
  request.environment = {{"FEATURE_STORE_YAML_BASE64", encoded}, {"NAME", "variable"}};
  ASSERT_OK_AND_ASSIGN(RepoConfig config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "variable");
  EXPECT_EQ(config.yaml_path, "FEATURE_STORE_YAML_BASE64");
  EXPECT_EQ(config.registry.path, folder_ + "/r.db");
  request.yaml_file = folder_ + "/feature_store.yaml";
  ASSERT_OK_AND_ASSIGN(config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "variable");
  EXPECT_THAT(config.warnings, ElementsAre(HasSubstr("wins over the file")));
  request.environment["FEATURE_STORE_YAML_BASE64"] = "n*t base64";
  EXPECT_FAULT(Fault::kUser, "FEATURE_STORE_YAML_BASE64: not base64", LoadRepoConfig(request));
  request.environment["FEATURE_STORE_YAML_BASE64"] = "";
  ASSERT_OK_AND_ASSIGN(config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "file");
}

TEST_F(RepoConfigTest, MissingFilesAndFoldersAreNamed) {
  EXPECT_FAULT(Fault::kUser, "feature_store.yaml: cannot be read (No such file", Load());
  ConfigRequest request{
      .chdir = folder_ + "/nowhere", .yaml_file = {}, .overrides = {}, .environment = {}};
  EXPECT_FAULT(Fault::kUser, "nowhere: no such folder", LoadRepoConfig(request));
  request.chdir = folder_;
  request.yaml_file = folder_;
  EXPECT_FAULT(Fault::kUser, "is a folder; name the file", LoadRepoConfig(request));
  EXPECT_FAULT(Fault::kUser, "too long for a configuration", Load(std::string(2 << 20, '#')));
}

TEST_F(RepoConfigTest, VariablesAreReplacedBeforeTheYamlIsRead) {
  Write(
      "project: ${NAME}\nregistry: r.db\nonline_store: {type: redis, connection_string: "
      "\"$HOST:${PORT}\"}\n");
  ConfigRequest request{
      .chdir = folder_, .yaml_file = {}, .overrides = {{"threads", "3"}}, .environment = {}};
  request.environment = {{"NAME", "x"}, {"HOST", "h"}, {"PORT", "1"}};
  ASSERT_OK_AND_ASSIGN(const RepoConfig config, LoadRepoConfig(request));
  EXPECT_EQ(config.project, "x");
  EXPECT_EQ(config.online_store.Find("connection_string")->scalar, "h:1");
  EXPECT_EQ(config.options.threads, 3);
}

// Each answer was given by Python's os.path.expandvars.
TEST(ExpandVariables, FollowsPython) {
  const std::map<std::string, std::string> environment = {
      {"A", "1"}, {"A_B", "2"}, {"X Y", "3"}, {"LOOP", "$A"}, {"EMPTY", ""}};
  const std::pair<std::string, std::string> cases[] = {{"$A", "1"},
                                                       {"${A}", "1"},
                                                       {"$A-$A_B", "1-2"},
                                                       {"$A_C", "$A_C"},
                                                       {"${C}", "${C}"},
                                                       {"${A:-d}", "${A:-d}"},
                                                       {"$$A", "$1"},
                                                       {"${X Y}", "3"},
                                                       {"$LOOP", "$A"},
                                                       {"x${EMPTY}y", "xy"},
                                                       {"$", "$"},
                                                       {"${A", "${A"},
                                                       {"${}", "${}"},
                                                       {"a$", "a$"},
                                                       {"\\$A", "\\1"},
                                                       {"${A$A}", "${A$A}"},
                                                       {"$A\xC3\xA9", "1\xC3\xA9"},
                                                       {"no", "no"},
                                                       {"", ""}};
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(ExpandVariables(text, environment), expected) << text;
}

TEST(ProcessEnvironment, HoldsWhatTheProcessHas) {
  ASSERT_EQ(::setenv("BANQUET_TEST_VARIABLE", "a=b", 1), 0);
  EXPECT_EQ(ProcessEnvironment()["BANQUET_TEST_VARIABLE"], "a=b");
  ::unsetenv("BANQUET_TEST_VARIABLE");
}

constexpr char kPlugin[] = "batch_engine: {type: banquet.feast.BanquetEngine";

TEST_F(RepoConfigTest, TheBlockOfOurPluginHoldsOptionsWhichWin) {
  ASSERT_OK_AND_ASSIGN(
      const RepoConfig config,
      LoadWith(std::string(kPlugin) + ", threads: 3, fallback: fail, binary: /bin/true}\n"
                                      "banquet: {threads: 5, parallel_groups: 4}\n"));
  EXPECT_EQ(config.batch_engine_type, "local");
  EXPECT_EQ(config.batch_engine.kind, ConfigNode::Kind::kNull);
  EXPECT_EQ(config.options.threads, 3);
  EXPECT_EQ(config.options.parallel_groups, 4);
}

TEST_F(RepoConfigTest, OurPluginNamesTheEngineThatWorks) {
  ASSERT_OK_AND_ASSIGN(
      const RepoConfig config,
      LoadWith(std::string(kPlugin) + ", engine: {type: spark.engine, partitions: 3}}\n"));
  EXPECT_EQ(config.batch_engine_type, "spark.engine");
  ASSERT_NE(config.batch_engine.Find("partitions"), nullptr);
  ASSERT_OK_AND_ASSIGN(const RepoConfig word,
                       LoadWith("batch_engine: banquet.feast.BanquetEngine\n"));
  EXPECT_EQ(word.batch_engine_type, "local");
  EXPECT_FAULT(Fault::kUser, "batch_engine.engine",
               LoadWith(std::string(kPlugin) + ", engine: [1]}\n"));
}

TEST_F(RepoConfigTest, AnUnknownOptionInThePluginsBlockIsRefused) {
  EXPECT_FAULT(Fault::kUser, "threads", LoadWith(std::string(kPlugin) + ", thraeds: 3}\n"));
}

}  // namespace
}  // namespace banquet
