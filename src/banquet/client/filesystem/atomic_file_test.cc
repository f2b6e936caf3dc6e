#include "banquet/client/filesystem/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/system_call_faults.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AtomicFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  std::string Read(const std::string& path) { return ReadWholeFile(path).ValueOr("<unreadable>"); }
  ino_t Inode(const std::string& path) { return Stat(path).st_ino; }
  struct stat Stat(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status;
  }

  TemporaryDirectory directory_;
  const std::string file_ = directory_.File("f");
};

TEST_F(AtomicFileTest, CreatesAFileThatIsNotThere) {
  EXPECT_OK(ReplaceFile(file_, "hello"));
  EXPECT_EQ(Read(file_), "hello");
  EXPECT_EQ(Stat(file_).st_mode & 0777, 0644u);
  EXPECT_THAT(directory_.Names(), ElementsAre("f"));
}

TEST_F(AtomicFileTest, ReplacesByAnotherFileAndKeepsTheMode) {
  Write(file_, "a long old text");
  ASSERT_EQ(::chmod(file_.c_str(), 0640), 0);
  const ino_t old_inode = Inode(file_);
  EXPECT_OK(ReplaceFile(file_, "new"));
  EXPECT_EQ(Read(file_), "new");
  EXPECT_NE(Inode(file_), old_inode);
  EXPECT_EQ(Stat(file_).st_mode & 0777, 0640u);
  EXPECT_THAT(directory_.Names(), ElementsAre("f"));
}

TEST_F(AtomicFileTest, KeepsTheOwnerWhenTheSystemLetsUs) {
  // Only root may give files away; anybody else keeps their own.
  const uid_t user = ::geteuid() == 0 ? 1234 : ::geteuid();
  const gid_t group = ::geteuid() == 0 ? 4321 : ::getegid();
  Write(file_, "old");
  ASSERT_EQ(::chown(file_.c_str(), user, group), 0);
  EXPECT_OK(ReplaceFile(file_, "new"));
  EXPECT_EQ(Stat(file_).st_uid, user);
  EXPECT_EQ(Stat(file_).st_gid, group);
}

TEST_F(AtomicFileTest, FollowsSymbolicLinks) {
  std::filesystem::create_directory(directory_.File("real"));
  const std::string target = directory_.File("real/target");
  Write(target, "old");
  std::filesystem::create_symlink("real/target", file_);
  EXPECT_OK(ReplaceFile(file_, "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(Read(target), "new");
  EXPECT_THAT(directory_.Names(), ElementsAre("f", "real"));
}

TEST_F(AtomicFileTest, AFullDiskLeavesTheOldContentAndNoTemporaryFile) {
  Write(file_, "old");
  for (const FaultPoint point :
       {FaultPoint::kCreateTemporary, FaultPoint::kWrite, FaultPoint::kSync, FaultPoint::kRename}) {
    const ScopedSystemCallFault fault(point, ENOSPC);
    EXPECT_FAULT(Fault::kRemote, "No space left", ReplaceOrOverwriteFile(file_, "new"));
    EXPECT_EQ(Read(file_), "old");
    EXPECT_THAT(directory_.Names(), ElementsAre("f"));
  }
}

TEST_F(AtomicFileTest, OverwritesInPlaceWhereTheMountRefusesARename) {
  for (const int error : {EBUSY, EXDEV, EPERM, EACCES}) {
    Write(file_, "an old text that is longer");
    const ino_t inode = Inode(file_);
    const ScopedSystemCallFault fault(FaultPoint::kRename, error);
    ASSERT_OK_AND_ASSIGN(const auto reason, ReplaceOrOverwriteFile(file_, "new"));
    ASSERT_TRUE(reason.has_value());
    EXPECT_THAT(*reason, HasSubstr("Cannot rename"));
    EXPECT_EQ(Read(file_), "new");
    EXPECT_EQ(Inode(file_), inode);
    EXPECT_THAT(directory_.Names(), ElementsAre("f"));
  }
}

TEST_F(AtomicFileTest, OverwritesInPlaceInADirectoryThatTakesNoFiles) {
  Write(file_, "old");
  ASSERT_EQ(::chmod(file_.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  const WithoutRoot without_root;
  ASSERT_OK_AND_ASSIGN(const auto reason, ReplaceOrOverwriteFile(file_, "new"));
  EXPECT_TRUE(reason.has_value());
  EXPECT_EQ(Read(file_), "new");
  EXPECT_FAULT(Fault::kUser, "Permission denied", ReplaceFile(file_, "newer"));
}

TEST_F(AtomicFileTest, AFailedOverwritePutsTheOldContentBack) {
  Write(file_, "old");
  const ScopedSystemCallFault refusal(FaultPoint::kCreateTemporary, EROFS);
  ASSERT_OK_AND_ASSIGN(const auto reason, ReplaceOrOverwriteFile(file_, "older"));
  ASSERT_TRUE(reason.has_value());
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  ASSERT_EQ(::chmod(file_.c_str(), 0666), 0);
  const WithoutRoot without_root;
  {
    const ScopedSystemCallFault fault(FaultPoint::kSync, EIO);
    EXPECT_FAULT(Fault::kRemote, "Cannot bring to disk", ReplaceOrOverwriteFile(file_, "x"));
    EXPECT_EQ(Read(file_), "older");
  }
  const ScopedSystemCallFault fault(FaultPoint::kWrite, EIO, 2);
  EXPECT_FAULT(Fault::kRemote, "may be damaged", ReplaceOrOverwriteFile(file_, "x"));
}

TEST_F(AtomicFileTest, AFileThatMayNotBeWrittenIsAUserError) {
  Write(file_, "old");
  ASSERT_EQ(::chmod(file_.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  const WithoutRoot without_root;
  EXPECT_FAULT(Fault::kUser, "Cannot open for writing", ReplaceOrOverwriteFile(file_, "new"));
  EXPECT_EQ(Read(file_), "old");
}

TEST_F(AtomicFileTest, RemovesWhatAKilledRunLeftAndNotWhatALivingOneWrites) {
  const std::string dead = directory_.File(".f.123-0.banquet-tmp");
  const std::string alive = directory_.File(".f.124-0.banquet-tmp");
  const std::string other = directory_.File(".g.125-0.banquet-tmp");
  for (const std::string& path : {dead, alive, other}) Write(path, "half");
  const OpenedFile writer = OpenFile(alive, O_RDWR);
  ASSERT_EQ(::flock(writer.file.get(), LOCK_EX), 0);
  EXPECT_OK(ReplaceFile(file_, "new"));
  EXPECT_THAT(directory_.Names(), ElementsAre(".f.124-0.banquet-tmp", ".g.125-0.banquet-tmp", "f"));
}

TEST_F(AtomicFileTest, TakesNamesOfTheGreatestLength) {
  const std::string path = directory_.File(std::string(255, 'n'));
  EXPECT_OK(ReplaceFile(path, "new"));
  EXPECT_EQ(Read(path), "new");
}

TEST_F(AtomicFileTest, AMissingDirectoryIsAUserError) {
  EXPECT_FAULT(Fault::kUser, "No such file", ReplaceFile(directory_.File("none/f"), "new"));
  EXPECT_FAULT(Fault::kUser, "Cannot open", ReadWholeFile(directory_.File("none/f")));
  EXPECT_FAULT(Fault::kUser, "Cannot read", ReadWholeFile(directory_.path()));
}

TEST_F(AtomicFileTest, ReadsFilesOfUnknownSizeWhole) {
  ASSERT_OK_AND_ASSIGN(const std::string status, ReadWholeFile("/proc/self/status"));
  EXPECT_THAT(status, HasSubstr("VmSize"));
}

}  // namespace
}  // namespace banquet
