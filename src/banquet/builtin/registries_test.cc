#include "banquet/builtin/registries.h"

#include <cstdlib>
#include <fstream>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

Status Refusal(const RegistrySettings& settings) {
  ManualClock clock(0);
  RepoConfig config;
  config.registry = settings;
  return MakeRegistry(config, clock).status();
}

TEST(MakeRegistryTest, RefusesWhatThisVersionCannotReadByName) {
  EXPECT_FAULT(Fault::kUser, "'snowflake.registry'",
               Refusal({.type = "snowflake.registry", .path = "x"}));
  EXPECT_FAULT(Fault::kUser, "'az://'", Refusal({.path = "az://bucket/registry.db"}));
  EXPECT_FAULT(Fault::kUser, "AzureRegistryStore",
               Refusal({.path = "x", .registry_store_type = "AzureRegistryStore"}));
  EXPECT_FAULT(Fault::kUser, "S3RegistryStore",
               Refusal({.path = "x", .registry_store_type = "S3RegistryStore"}));
  EXPECT_FAULT(Fault::kUser, "no path", Refusal({.path = "file://"}));
  EXPECT_FAULT(Fault::kUser, "no URL", Refusal({.type = "sql", .path = "x"}));
}

// The likeliest slip: registry_type: sql was left out.
TEST(MakeRegistryTest, ADatabasesUrlIsNotRepeated) {
  const Status refusal = Refusal({.path = "postgresql://user:s3cret@host/database"});
  EXPECT_FAULT(Fault::kUser, "registry_type: sql", refusal);
  EXPECT_THAT(refusal.message(), ::testing::Not(::testing::HasSubstr("s3cret")));
}

TEST(MakeRegistryTest, MakesWhatItKnows) {
  EXPECT_OK(Refusal({.path = "/odd name/a://b"}));
  EXPECT_OK(Refusal({.type = "sql", .path = "sqlite:////folder/registry.db"}));
  EXPECT_OK(Refusal({.path = "s3://bucket/registry.db"}));
  EXPECT_OK(Refusal({.path = "s3://bucket/registry.db", .registry_store_type = "S3RegistryStore"}));
  EXPECT_OK(Refusal({.path = "gs://bucket/registry.db"}));
  EXPECT_OK(
      Refusal({.path = "gs://bucket/registry.db", .registry_store_type = "GCSRegistryStore"}));
}

TEST(MakeRegistryTest, AnEndpointIsAServer) {
  for (const auto& [name, path] : {std::pair{"FEAST_S3_ENDPOINT_URL", "s3://b/k"},
                                   std::pair{"STORAGE_EMULATOR_HOST", "gs://b/k"}}) {
    for (const char* endpoint : {"localhost:9000", "x", "http://h/s3", "http://u:s3cret@h"}) {
      setenv(name, endpoint, 1);
      const Status refusal = Refusal({.path = path});
      EXPECT_FAULT(Fault::kUser, "http://host:port", refusal);
      EXPECT_THAT(refusal.message(), ::testing::HasSubstr(name));
      EXPECT_THAT(refusal.message(), ::testing::Not(::testing::HasSubstr("s3cret")));
    }
    setenv(name, "http://localhost:9000/", 1);
    EXPECT_OK(Refusal({.path = path}));
    unsetenv(name);
  }
}

TEST(MakeRegistryTest, AFileUrlNamesALocalFile) {
  const TemporaryDirectory folder;
  std::ofstream(folder.File("registry.db")) << "\x1a\x01"
                                               "1";  // registry_schema_version
  ManualClock clock(0);
  RepoConfig config;
  config.registry.path = "file://" + folder.File("registry.db");
  ASSERT_OK_AND_ASSIGN(const auto registry, MakeRegistry(config, clock));
  EXPECT_OK(registry->Read());
}

}  // namespace
}  // namespace banquet
