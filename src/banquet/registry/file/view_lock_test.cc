#include "banquet/registry/file/view_lock.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNowUs = 1'800'000'000'000'000;

class ActingClock final : public Clock {
 public:
  explicit ActingClock(std::function<void()> act) : act_(std::move(act)) {}
  int64_t NowUs() override { return inner_.NowUs(); }
  std::chrono::steady_clock::time_point Steady() override { return inner_.Steady(); }
  bool Wait(milliseconds duration, const std::stop_token& stop) override {
    if (inner_.NowUs() >= kNowUs + 1'000'000) act_();
    return inner_.Wait(duration, stop);
  }

 private:
  ManualClock inner_{kNowUs};
  std::function<void()> act_;
};

class ViewLockTest : public ::testing::Test {
 protected:
  ViewLockTest() {
    std::filesystem::create_directory(repository_);
    std::ofstream(repository_ + "/registry.db") << "x";
  }
  Result<std::unique_ptr<ViewLock>> Take(const std::string& view,
                                         milliseconds wait = milliseconds(0)) {
    return TakeViewLock(Target(view), wait, clock_, {});
  }
  ViewLockTarget Target(const std::string& view) const {
    return {.registry_path = repository_ + "/registry.db", .project = "p", .view = view};
  }
  std::vector<std::string> Locks(const std::string& directory) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().string().find("lock") != std::string::npos)
        found.push_back(entry.path().string());
    }
    return found;
  }

  TemporaryDirectory directory_;
  const std::string repository_ = directory_.File("repository");
  ManualClock clock_{kNowUs};
};

TEST_F(ViewLockTest, NamesTheHolderAndWhatToDo) {
  ASSERT_OK_AND_ASSIGN(auto held, Take("x"));
  EXPECT_FAULT(Fault::kHeld, "Another run holds view x: pid ", Take("x"));
  EXPECT_FAULT(Fault::kHeld, fmt::format("pid {} on host ", ::getpid()), Take("x"));
  EXPECT_FAULT(Fault::kHeld, "since 2027-01-15T08:00:00Z", Take("x"));
  EXPECT_FAULT(Fault::kHeld, "--wait SECONDS", Take("x"));
  EXPECT_FAULT(Fault::kHeld, "after 2.5 s", Take("x", milliseconds(2500)));
  held.reset();
  EXPECT_THAT(Locks(repository_), IsEmpty());
  EXPECT_OK(Take("x"));
}

TEST_F(ViewLockTest, OtherViewsProjectsAndRegistriesAreFree) {
  ASSERT_OK_AND_ASSIGN(const auto held, Take("x"));
  EXPECT_OK(Take("y"));
  ViewLockTarget other = Target("x");
  other.project = "q";
  EXPECT_OK(TakeViewLock(other, milliseconds(0), clock_, {}));
  std::ofstream(repository_ + "/other.db") << "x";
  other = Target("x");
  other.registry_path = repository_ + "/other.db";
  EXPECT_OK(TakeViewLock(other, milliseconds(0), clock_, {}));
}

TEST_F(ViewLockTest, TheSameRegistryByAnotherPathIsTheSame) {
  std::filesystem::create_symlink("repository/registry.db", directory_.File("link.db"));
  ASSERT_OK_AND_ASSIGN(const auto held, Take("x"));
  ViewLockTarget linked = Target("x");
  linked.registry_path = directory_.File("link.db");
  EXPECT_FAULT(Fault::kHeld, "view x", TakeViewLock(linked, milliseconds(0), clock_, {}));
}

TEST_F(ViewLockTest, WaitsUntilTheHolderIsDone) {
  ASSERT_OK_AND_ASSIGN(auto held, Take("x"));
  ActingClock clock([&held] { held.reset(); });
  EXPECT_OK(TakeViewLock(Target("x"), milliseconds(5000), clock, {}));
}

TEST_F(ViewLockTest, SaysOnceWhomItWaitsFor) {
  ASSERT_OK_AND_ASSIGN(const auto held, Take("x"));
  ::testing::internal::CaptureStderr();
  EXPECT_FAULT(Fault::kHeld, "after 2.5 s", Take("x", milliseconds(2500)));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr(fmt::format("holds view x: pid {} on host", ::getpid())));
  EXPECT_THAT(log, HasSubstr("waiting for it for up to 2.5 s"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  ::testing::internal::CaptureStderr();
  EXPECT_FAULT(Fault::kHeld, "--wait", Take("x"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "nobody waits, the error says it all";
}

TEST_F(ViewLockTest, StopsWaitingWhenTheRunIsStopped) {
  ASSERT_OK_AND_ASSIGN(const auto held, Take("x"));
  std::stop_source stop;
  ActingClock clock([&stop] { stop.request_stop(); });
  EXPECT_FAULT(Fault::kCancelled, "",
               TakeViewLock(Target("x"), milliseconds(5000), clock, stop.get_token()));
  EXPECT_FAULT(Fault::kCancelled, "",
               TakeViewLock(Target("y"), milliseconds(0), clock, stop.get_token()));
}

TEST_F(ViewLockTest, NoViewNameLeadsOutOfTheDirectory) {
  for (const std::string& view :
       {std::string("../../x"), std::string("/etc/x"), std::string(5000, 'x'), std::string(),
        std::string("a\0b\nc", 5), std::string("\xff\xfe")}) {
    ASSERT_OK_AND_ASSIGN(const auto held, Take(view));
    EXPECT_THAT(Locks(repository_), SizeIs(1));
    EXPECT_FAULT(Fault::kHeld, "Another run", Take(view));
  }
  EXPECT_THAT(Locks(repository_), IsEmpty());
}

TEST_F(ViewLockTest, AnotherProcessIsExcludedAndItsDeathFreesTheView) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto held = Take("x");
    const char done = held.ok() ? 'y' : 'n';
    if (::write(ready[1], &done, 1) == 1) ::pause();
    ::_exit(0);
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  EXPECT_FAULT(Fault::kHeld, fmt::format("pid {} ", child), Take("x"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(Locks(repository_), SizeIs(1));
  ASSERT_OK_AND_ASSIGN(auto held, Take("x"));
  held.reset();
  EXPECT_THAT(Locks(repository_), IsEmpty());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(ViewLockTest, AnOddNoteIsShownHarmlessly) {
  ASSERT_OK_AND_ASSIGN(const auto held, Take("x"));
  std::ofstream(Locks(repository_).at(0)) << "\x1b[31mred\nsecond line";
  const Status status = Take("x").status();
  EXPECT_THAT(status.message(), HasSubstr(": ?[31mred;"));
  std::ofstream(Locks(repository_).at(0)) << "";
  EXPECT_FAULT(Fault::kHeld, "holds view x; wait", Take("x"));
}

class UnwritableRepositoryTest : public ViewLockTest {
 protected:
  UnwritableRepositoryTest() {
    const char* old = std::getenv("TMPDIR");
    had_ = old != nullptr;
    if (had_) old_ = old;
    std::filesystem::create_directory(temporary_);
    ::chmod(temporary_.c_str(), 01777);
    ::chmod(repository_.c_str(), 0555);
    ::setenv("TMPDIR", temporary_.c_str(), 1);
  }
  ~UnwritableRepositoryTest() override {
    if (had_) ::setenv("TMPDIR", old_.c_str(), 1);
    if (!had_) ::unsetenv("TMPDIR");
  }
  const std::string temporary_ = directory_.File("temporary");
  bool had_ = false;
  std::string old_;
};

TEST_F(UnwritableRepositoryTest, TheLockLiesInTheTemporaryDirectory) {
  const WithoutRoot without_root;
  ASSERT_OK_AND_ASSIGN(auto held, Take("../x"));
  EXPECT_THAT(Locks(temporary_), SizeIs(1));
  EXPECT_FAULT(Fault::kHeld, "view ../x", Take("../x"));
  held.reset();
  EXPECT_THAT(Locks(temporary_), IsEmpty());
}

TEST_F(UnwritableRepositoryTest, IsAUserErrorWhenThatTakesNoFilesEither) {
  ::chmod(temporary_.c_str(), 0555);
  const WithoutRoot without_root;
  EXPECT_FAULT(Fault::kUser, "No directory for a lock file", Take("x"));
}

TEST_F(ViewLockTest, AMissingDirectoryIsAUserError) {
  ViewLockTarget target = Target("x");
  target.registry_path = directory_.File("none/registry.db");
  EXPECT_FAULT(Fault::kUser, "Cannot create the lock file",
               TakeViewLock(target, milliseconds(0), clock_, {}));
}

}  // namespace
}  // namespace banquet
