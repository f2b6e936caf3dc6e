#include "banquet/client/filesystem/spill_file.h"

#include <signal.h>
#include <sys/resource.h>

#include <cstring>
#include <string>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

// While it lives, this process cannot make a file longer than `bytes`: EFBIG, as a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_ = {};
  void (*old_handler_)(int);
};

TEST(SpillFileTest, GivesBackWhatItTook) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto file, SpillFile::Create(directory.path()));
  ASSERT_OK_AND_ASSIGN(const int64_t first, file->Append("abc", 3));
  ASSERT_OK_AND_ASSIGN(const int64_t second, file->Append("defg", 4));
  char text[5] = {};
  ASSERT_OK(file->Read(second, text, 4));
  EXPECT_STREQ(text, "defg");
  ASSERT_OK(file->Read(first, text, 3));
  EXPECT_EQ(std::memcmp(text, "abc", 3), 0);
  EXPECT_EQ(file->size(), 7);
}

TEST(SpillFileTest, HasNoName) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto file, SpillFile::Create(directory.path()));
  ASSERT_OK(file->Append("abc", 3).status());
  EXPECT_TRUE(directory.Names().empty());
}

TEST(SpillFileTest, AMissingDirectoryIsTheUsersToMend) {
  const TemporaryDirectory directory;
  EXPECT_FAULT(Fault::kUser, "banquet.spill_directory",
               SpillFile::Create(directory.File("missing")));
}

TEST(SpillFileTest, ADirectoryWithoutRightsIsTheUsersToMend) {
  const TemporaryDirectory directory;
  const WithoutRoot user;
  EXPECT_FAULT(Fault::kUser, "banquet.spill_directory", SpillFile::Create(directory.path()));
}

TEST(SpillFileTest, AFullDiskIsARemoteError) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto file, SpillFile::Create(directory.path()));
  const std::string page(1000, 'x');
  const FileSizeLimit limit(2500);
  ASSERT_OK(file->Append(page.data(), 1000).status());
  ASSERT_OK(file->Append(page.data(), 1000).status());
  EXPECT_FAULT(Fault::kRemote, "banquet.spill_directory", file->Append(page.data(), 1000));
}

TEST(SpillFileTest, ReadingBeyondTheEndIsABug) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto file, SpillFile::Create(directory.path()));
  char text[4];
  EXPECT_FAULT(Fault::kBug, "shorter", file->Read(0, text, 4));
}

}  // namespace
}  // namespace banquet
