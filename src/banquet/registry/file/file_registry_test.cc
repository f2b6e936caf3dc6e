#include "banquet/registry/file/file_registry.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <thread>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/system_call_faults.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/registry/random_uuid.h"

namespace banquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr int64_t kNowUs = 1'800'000'000'000'000;

// Does something at each wait, as another process would.
class ActingClock final : public Clock {
 public:
  explicit ActingClock(std::function<void(int)> act) : act_(std::move(act)) {}
  int64_t NowUs() override { return inner_.NowUs(); }
  std::chrono::steady_clock::time_point Steady() override { return inner_.Steady(); }
  bool Wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    act_(waits_++);
    return inner_.Wait(duration, stop);
  }
  int waits() const { return waits_; }

 private:
  ManualClock inner_{kNowUs};
  std::function<void(int)> act_;
  int waits_ = 0;
};

class FileRegistryTest : public ::testing::Test {
 protected:
  FileRegistryTest() {
    std::filesystem::copy_file(
        std::string(BANQUET_REGISTRY_TESTDATA) + "/incremental_after_apply.db", file_);
  }
  std::unique_ptr<Registry> Open(Clock& clock) { return Open(clock, file_); }
  std::unique_ptr<Registry> Open(Clock& clock, const std::string& path) {
    return MakeFileRegistry(path, clock);
  }
  std::string Bytes() { return ReadWholeFile(file_).ValueOrDie(); }
  void Write(const std::string& bytes) { std::ofstream(file_, std::ios::binary) << bytes; }
  size_t IntervalsOf(const std::string& view) {
    const auto contents = Open(clock_)->Read().ValueOrDie();
    return contents->FindView("golden_inc", view)->materialization_intervals.size();
  }
  static MaterializationRecord Record(const std::string& view, int64_t start_us = 1) {
    return {.project = "golden_inc",
            .view = view,
            .window = {.start_us = start_us, .end_us = start_us + 1}};
  }
  mode_t Mode() {
    struct stat status {};
    ::stat(file_.c_str(), &status);
    return status.st_mode & 07777;
  }

  TemporaryDirectory directory_;
  const std::string file_ = directory_.File("registry.db");
  ManualClock clock_{kNowUs};
};

TEST_F(FileRegistryTest, RecordsAnIntervalAndReadsItBack) {
  const auto registry = Open(clock_);
  ASSERT_OK_AND_ASSIGN(const auto before, registry->Read());
  ASSERT_OK_AND_ASSIGN(const auto warning,
                       registry->RecordMaterialization(Record("inc_plain", -5)));
  EXPECT_EQ(warning, std::nullopt);
  ASSERT_OK_AND_ASSIGN(const auto after, registry->Read());
  const FeatureView& view = *after->FindView("golden_inc", "inc_plain");
  EXPECT_THAT(view.materialization_intervals,
              ElementsAre(TimeWindow{.start_us = -5, .end_us = -4}));
  EXPECT_EQ(view.state, ViewState::kAvailableOnline);
  EXPECT_EQ(view.last_updated_us, kNowUs);
  EXPECT_NE(after->version_id, before->version_id);
  EXPECT_EQ(after->FindView("golden_inc", "inc_ttl")->materialization_intervals.size(), 0u);
  for (size_t i = 0; i < after->feature_views.size(); ++i)
    EXPECT_EQ(after->feature_views[i].name, before->feature_views[i].name);
  EXPECT_THAT(directory_.Names(), ElementsAre("registry.db"));
}

TEST_F(FileRegistryTest, KeepsModeAndSymbolicLink) {
  ASSERT_EQ(::chmod(file_.c_str(), 0660), 0);
  const std::string link = directory_.File("link.db");
  std::filesystem::create_symlink("registry.db", link);
  EXPECT_OK(Open(clock_, link)->RecordMaterialization(Record("inc_plain")));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(IntervalsOf("inc_plain"), 1u);
  EXPECT_EQ(Mode(), 0660u);
  EXPECT_THAT(directory_.Names(), ElementsAre("link.db", "registry.db"));
}

TEST_F(FileRegistryTest, WarnsWhenItHadToWriteInPlace) {
  const ScopedSystemCallFault fault(FaultPoint::kRename, EBUSY);
  ASSERT_OK_AND_ASSIGN(const auto warning,
                       Open(clock_)->RecordMaterialization(Record("inc_plain")));
  ASSERT_TRUE(warning.has_value());
  EXPECT_THAT(*warning, HasSubstr("written in place"));
  EXPECT_THAT(*warning, HasSubstr(file_));
  EXPECT_EQ(IntervalsOf("inc_plain"), 1u);
  EXPECT_THAT(directory_.Names(), ElementsAre("registry.db"));
}

TEST_F(FileRegistryTest, AFailedWriteLeavesTheRegistryAsItWas) {
  const std::string before = Bytes();
  for (const FaultPoint point :
       {FaultPoint::kCreateTemporary, FaultPoint::kWrite, FaultPoint::kSync}) {
    const ScopedSystemCallFault fault(point, ENOSPC);
    EXPECT_FAULT(Fault::kRemote, "Recording view inc_plain",
                 Open(clock_)->RecordMaterialization(Record("inc_plain")));
    EXPECT_EQ(Bytes(), before);
    EXPECT_THAT(directory_.Names(), ElementsAre("registry.db"));
  }
}

TEST_F(FileRegistryTest, RemovesTheTemporaryFileOfAKilledRun) {
  std::ofstream(directory_.File(".registry.db.99-0.banquet-tmp")) << "half";
  EXPECT_OK(Open(clock_)->RecordMaterialization(Record("inc_plain")));
  EXPECT_THAT(directory_.Names(), ElementsAre("registry.db"));
}

TEST_F(FileRegistryTest, AReadOnlyRegistryIsAUserError) {
  ASSERT_EQ(::chmod(file_.c_str(), 0444), 0);
  EXPECT_OK(Open(clock_)->CheckWritable());
  const WithoutRoot without_root;
  EXPECT_OK(Open(clock_)->Read());
  EXPECT_FAULT(Fault::kUser, "registry is read-only", Open(clock_)->CheckWritable());
  EXPECT_FAULT(Fault::kUser, "registry is read-only",
               Open(clock_)->RecordMaterialization(Record("inc_plain")));
}

TEST_F(FileRegistryTest, NamesThePathAndWhatToDoWhenTheFileCannotBeRead) {
  EXPECT_FAULT(Fault::kUser, "run `feast apply`", Open(clock_, directory_.File("none.db"))->Read());
  EXPECT_FAULT(Fault::kUser, directory_.File("none.db"),
               Open(clock_, directory_.File("none.db"))->RecordMaterialization(Record("x")));
  EXPECT_FAULT(Fault::kUser, "Registry is a directory",
               Open(clock_, directory_.path())->RecordMaterialization(Record("x")));
  EXPECT_FAULT(Fault::kUser, "Cannot read", Open(clock_, directory_.path())->Read());
  EXPECT_FAULT(Fault::kUser, "Cannot open the registry",
               Open(clock_, directory_.File(std::string(300, 'x')))->Read());
  Write("");
  EXPECT_FAULT(Fault::kUser, "Registry is empty", Open(clock_)->Read());
  Write("no registry at all");
  EXPECT_FAULT(Fault::kData, "Registry is damaged", Open(clock_)->Read());
  EXPECT_FAULT(Fault::kData, file_, Open(clock_)->RecordMaterialization(Record("inc_plain")));
  EXPECT_EQ(Bytes(), "no registry at all");
  ASSERT_EQ(::chmod(file_.c_str(), 0), 0);
  const WithoutRoot without_root;
  EXPECT_FAULT(Fault::kUser, "No permission to read", Open(clock_)->Read());
}

TEST_F(FileRegistryTest, ADamagedSnapshotNamesTheRegistry) {
  // feature_view_version_history { records { feature_view_type: "feature_view" feature_view_proto:
  // "\xff" } }
  Write(std::string("\x92\x01\x13\x0a\x11\x22\x0c") + "feature_view" + std::string("\x2a\x01\xff"));
  EXPECT_FAULT(Fault::kData, file_, Open(clock_)->Read());
}

TEST_F(FileRegistryTest, WaitsForAWriterThatHasWrittenHalf) {
  const std::string whole = Bytes();
  Write(whole.substr(0, whole.size() - 3));
  ActingClock clock([&](int wait) {
    if (wait == 2) Write(whole);
  });
  ASSERT_OK_AND_ASSIGN(const auto contents, Open(clock)->Read());
  EXPECT_EQ(contents->feature_views.size(), 3u);
  EXPECT_EQ(clock.waits(), 3);
}

TEST_F(FileRegistryTest, LooksAtTheFileThatReplacedADamagedOne) {
  const std::string whole = Bytes();
  Write("damaged");
  ActingClock clock([&](int wait) {
    if (wait != 0) return;
    std::ofstream(directory_.File("new.db"), std::ios::binary) << whole;
    std::filesystem::rename(directory_.File("new.db"), file_);
  });
  EXPECT_OK(Open(clock)->Read());
}

TEST_F(FileRegistryTest, AViewThatVanishedIsAUserErrorThatNamesTheRegistry) {
  const std::string before = Bytes();
  EXPECT_FAULT(Fault::kUser, file_, Open(clock_)->RecordMaterialization(Record("gone")));
  EXPECT_EQ(Bytes(), before);
}

TEST_F(FileRegistryTest, WaitsForAnotherRecorderAndGivesUpInTheEnd) {
  OpenedFile other = OpenFile(file_, O_RDWR);
  ASSERT_EQ(::flock(other.file.get(), LOCK_EX), 0);
  EXPECT_FAULT(Fault::kHeld, "keeps the registry locked",
               Open(clock_)->RecordMaterialization(Record("inc_plain")));
  ActingClock clock([&](int wait) {
    if (wait == 3) other.file.Close();
  });
  EXPECT_OK(Open(clock)->RecordMaterialization(Record("inc_plain")));
  EXPECT_EQ(IntervalsOf("inc_plain"), 1u);
}

TEST_F(FileRegistryTest, SeesAChangeMadeWhileItWaitedForTheLock) {
  OpenedFile other = OpenFile(file_, O_RDWR);
  ASSERT_EQ(::flock(other.file.get(), LOCK_EX), 0);
  ActingClock clock([&](int wait) {
    if (wait != 0) return;
    // As another recorder does: a new file under the same name, then the lock of the old one goes.
    std::filesystem::copy_file(std::string(BANQUET_REGISTRY_TESTDATA) + "/incremental.db",
                               directory_.File("new.db"));
    std::filesystem::rename(directory_.File("new.db"), file_);
    other.file.Close();
  });
  EXPECT_OK(Open(clock)->RecordMaterialization(Record("inc_plain")));
  EXPECT_EQ(IntervalsOf("inc_plain"), 8u);
}

// Feast takes no lock: it writes between our read and our write, which is when the clock is asked
// for the time.
class MeddlingClock final : public Clock {
 public:
  MeddlingClock(std::string file, int times) : file_(std::move(file)), times_(times) {}
  int64_t NowUs() override {
    if (times_-- > 0) {
      const auto modified = std::filesystem::last_write_time(file_);
      std::filesystem::last_write_time(file_, modified + std::chrono::seconds(1));
    }
    return inner_.NowUs();
  }
  std::chrono::steady_clock::time_point Steady() override { return inner_.Steady(); }
  bool Wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    return inner_.Wait(duration, stop);
  }

 private:
  ManualClock inner_{kNowUs};
  std::string file_;
  int times_;
};

TEST_F(FileRegistryTest, BeginsAgainWhenFeastWroteInBetween) {
  MeddlingClock twice(file_, 2);
  EXPECT_OK(Open(twice)->RecordMaterialization(Record("inc_plain")));
  EXPECT_EQ(IntervalsOf("inc_plain"), 1u);
  const std::string before = Bytes();
  MeddlingClock always(file_, 1000);
  EXPECT_FAULT(Fault::kRemote, "changed by another program all the time",
               Open(always)->RecordMaterialization(Record("inc_plain")));
  EXPECT_EQ(Bytes(), before);
}

TEST_F(FileRegistryTest, LosesNothingWhenThreadsAndProcessesRecordAtOnce) {
  constexpr int kEach = 20;
  const auto record = [&](const std::string& view) {
    const auto registry = Open(SystemClock());
    for (int i = 0; i < kEach; ++i) {
      if (!registry->RecordMaterialization(Record(view, i)).ok()) return false;
    }
    return true;
  };
  std::vector<pid_t> children;
  for (const char* view : {"inc_plain", "inc_ttl"}) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(record(view) ? 0 : 1);
    children.push_back(child);
  }
  bool first = false;
  bool second = false;
  std::thread thread([&] { first = record("inc_new"); });
  second = record("inc_plain");
  thread.join();
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(first && second);
  EXPECT_EQ(IntervalsOf("inc_new"), size_t{kEach});
  EXPECT_EQ(IntervalsOf("inc_ttl"), size_t{kEach});
  EXPECT_EQ(IntervalsOf("inc_plain"), size_t{2 * kEach});
  EXPECT_THAT(directory_.Names(), ElementsAre("registry.db"));
}

TEST(RandomUuidTest, IsOfVersionFourAndNeverTheSame) {
  EXPECT_THAT(RandomUuid(),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(RandomUuid(), RandomUuid());
}

}  // namespace
}  // namespace banquet
