// Which folder a registry's runs stage in.

#include "banquet/base/testing.h"
#include "banquet/builtin/products.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

class StagingAreaOfRegistryTest : public ::testing::Test {
 protected:
  std::string FolderOf(const std::string& registry, const std::string& run_id = "run") {
    ManualClock clock(0);
    RepoConfig config;
    config.registry.path = registry;
    config.options.staging_location = directory_.path();
    const auto area = MakeStagingArea(config, {}, clock).ValueOrDie();
    return area->Begin("project", "view", run_id).ValueOrDie().uri();
  }

  TemporaryDirectory directory_;
};

// What a killed run left must be found by the next, though the password has changed meanwhile.
TEST_F(StagingAreaOfRegistryTest, APasswordIsNoPartOfWhichRegistryItIs) {
  const std::string folder = FolderOf("postgresql://host:5432/feast");
  EXPECT_EQ(FolderOf("postgresql://user:one@host:5432/feast"), folder);
  EXPECT_EQ(FolderOf("postgresql://user:two@host:5432/feast?sslpassword=x"), folder);
  EXPECT_NE(FolderOf("postgresql://host:5432/other"), folder);
  EXPECT_NE(FolderOf("postgresql://other:5432/feast"), folder);
  const std::string schema = FolderOf("postgresql://host:5432/feast?options=-csearch_path=a");
  EXPECT_NE(schema, folder);
  EXPECT_NE(schema, FolderOf("postgresql://host:5432/feast?options=-csearch_path=b"));
  EXPECT_EQ(schema, FolderOf("postgresql://u@host:5432/feast?sslmode=x&options=-csearch_path=a"));
  EXPECT_NE(FolderOf("/data/a@b/registry.db"), FolderOf("/data/b/registry.db"));
}

TEST_F(StagingAreaOfRegistryTest, ARunsNameStaysInItsFolder) {
  EXPECT_TRUE(FolderOf("r", "../x").ends_with("/project.view/..%2Fx"));
}

}  // namespace
}  // namespace banquet
