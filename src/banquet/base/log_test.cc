#include "banquet/base/log.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(LogTest, ALineHasAnInstantALevelAndTheText) {
  ::testing::internal::CaptureStderr();
  LogWarning("{} rows", 3);
  LogInfo("below the level");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::MatchesRegex(
                  "[12][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\."
                  "[0-9][0-9][0-9]Z warning 3 rows\n"));
}

TEST(LogTest, WarningsAreKeptForTheReportOnceEachAlsoThoseNotShown) {
  LogWarning("before");
  SetLogLevel(LogLevel::kError);
  ::testing::internal::CaptureStderr();
  {
    const WarningRecord record;
    LogWarning("a server is gone");
    LogWarning("{} is gone", "a server");
    LogInfo("no warning");
    LogWarning("it is back");
    EXPECT_THAT(record.texts(), ::testing::ElementsAre("a server is gone", "it is back"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  SetLogLevel(LogLevel::kWarning);
  EXPECT_THAT(WarningRecord().texts(), ::testing::IsEmpty());
}

TEST(LogTest, AnUnknownLevelIsRefusedWithTheNearest) {
  EXPECT_FAULT(Fault::kUser,
               "--log-level: write debug, info, warning, error or off, not 'eror'. Did",
               ParseLogLevel("eror"));
  EXPECT_OK(ParseLogLevel("off"));
}

}  // namespace
}  // namespace banquet
