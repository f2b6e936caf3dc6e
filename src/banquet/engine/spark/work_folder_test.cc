#include "banquet/engine/spark/work_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(WorkFolderTest, IsPrivateAndGoneAfterwards) {
  std::string path;
  {
    ASSERT_OK_AND_ASSIGN(const WorkFolder folder, WorkFolder::Make());
    path = folder.File("plan.json");
    ASSERT_OK(folder.Write("plan.json", "s3cret"));
    struct stat file = {};
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600U);
    EXPECT_EQ(file.st_size, 6);
    EXPECT_FAULT(Fault::kUser, "plan.json", folder.Write("plan.json", "again"));
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
  setenv("TMPDIR", "/nowhere", 1);
  EXPECT_FALSE(WorkFolder::Make().ok());
  unsetenv("TMPDIR");
}

TEST(RuntimeFilesTest, AreThisProgramAndItsLibraries) {
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> files, RuntimeFiles());
  EXPECT_NE(files.front().find("engine_spark_test"), std::string::npos);
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(
        files, [&](const std::string& file) { return file.find("/" + name) != std::string::npos; });
  };
  EXPECT_TRUE(has("libarrow.so"));
  EXPECT_FALSE(has("libc.so"));
  EXPECT_FALSE(has("ld-linux"));
  for (const std::string& file : files) EXPECT_TRUE(std::filesystem::exists(file)) << file;
}

}  // namespace
}  // namespace banquet
