#include "banquet/client/filesystem/file_lock.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FileLockTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("lock");
};

TEST_F(FileLockTest, ExcludesASecondHolderInTheSameProcessAndShowsTheNote) {
  ASSERT_OK_AND_ASSIGN(LockAttempt first, FileLock::TryTake(path_, "me"));
  ASSERT_TRUE(first.lock.has_value());
  ASSERT_OK_AND_ASSIGN(LockAttempt second, FileLock::TryTake(path_, "you"));
  EXPECT_FALSE(second.lock.has_value());
  EXPECT_EQ(second.refusal, LockAttempt::Refusal::kHeld);
  EXPECT_EQ(second.holder_note, "me");
  first.lock.reset();
  EXPECT_THAT(directory_.Names(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const LockAttempt third, FileLock::TryTake(path_, "you"));
  EXPECT_TRUE(third.lock.has_value());
}

TEST_F(FileLockTest, TheFileOfAKilledProcessIsNoObstacle) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto attempt = FileLock::TryTake(path_, "a child");
    const char done = attempt.ok() && attempt->lock.has_value() ? 'y' : 'n';
    if (::write(ready[1], &done, 1) == 1) ::pause();
    ::_exit(0);
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  ASSERT_OK_AND_ASSIGN(LockAttempt held, FileLock::TryTake(path_, "me"));
  EXPECT_FALSE(held.lock.has_value());
  EXPECT_EQ(held.holder_note, "a child");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(directory_.Names(), ElementsAre("lock"));
  ASSERT_OK_AND_ASSIGN(LockAttempt taken, FileLock::TryTake(path_, "me"));
  EXPECT_TRUE(taken.lock.has_value());
  taken.lock.reset();
  EXPECT_THAT(directory_.Names(), IsEmpty());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(FileLockTest, NeverHasTwoHoldersWhenManyTakeAndDropIt) {
  std::atomic<int> holders{0};
  std::atomic<int> taken{0};
  std::atomic<bool> failed{false};
  const auto take = [&] {
    for (int i = 0; i < 300; ++i) {
      Result<LockAttempt> attempt = FileLock::TryTake(path_, "x");
      if (!attempt.ok()) failed = true;
      if (!attempt.ok() || !attempt->lock.has_value()) continue;
      if (holders.fetch_add(1) != 0) failed = true;
      ++taken;
      holders.fetch_sub(1);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(take);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  EXPECT_GT(taken, 0);
  EXPECT_THAT(directory_.Names(), IsEmpty());
}

TEST_F(FileLockTest, ADirectoryThatTakesNoFilesIsARefusal) {
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  const WithoutRoot without_root;
  ASSERT_OK_AND_ASSIGN(const LockAttempt attempt, FileLock::TryTake(path_, "me"));
  EXPECT_FALSE(attempt.lock.has_value());
  EXPECT_EQ(attempt.refusal, LockAttempt::Refusal::kNotWritable);
}

TEST_F(FileLockTest, AnotherUsersFileIsTakenOverEvenIfItMayOnlyBeRead) {
  std::ofstream(path_) << "somebody dead";
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  const WithoutRoot without_root;
  ASSERT_OK_AND_ASSIGN(const LockAttempt attempt, FileLock::TryTake(path_, "me"));
  EXPECT_TRUE(attempt.lock.has_value());
}

TEST_F(FileLockTest, RefusesToFollowALinkAndToLockInAMissingDirectory) {
  std::filesystem::create_symlink("/etc/passwd", path_);
  EXPECT_FALSE(FileLock::TryTake(path_, "me").ok());
  EXPECT_FAULT(Fault::kUser, "Cannot create the lock file",
               FileLock::TryTake(directory_.File("none/lock"), "me"));
}

}  // namespace
}  // namespace banquet
