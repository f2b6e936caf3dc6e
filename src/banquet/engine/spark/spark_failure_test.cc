#include "banquet/engine/spark/spark_failure.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(SparkFailureTest, EachIsWhoseItIs) {
  EXPECT_FAULT(
      Fault::kUser, "redis refused; its log: x",
      SparkFailure("", {"E: BANQUET-SINK exit 2: banquet: redis refused"}, "; its log: x"));
  EXPECT_FAULT(Fault::kData, "bad row",
               SparkFailure("", {"BANQUET-SINK exit 3: banquet: bad row"}, ""));
  EXPECT_FAULT(Fault::kRemote, "gone", SparkFailure("", {"BANQUET-SINK exit 4: gone"}, ""));
  EXPECT_FAULT(Fault::kUser, "no column x", SparkFailure("REFUSED", {"no column x"}, ""));
  EXPECT_FAULT(Fault::kUser, "Path does not exist",
               SparkFailure("PATH_NOT_FOUND", {"[…] Path does not exist", "more"}, ""));
  EXPECT_FAULT(Fault::kUser, "'soon' of the type",
               SparkFailure("CAST_INVALID_INPUT", {"[…] The value 'soon' of the type …"}, ""));
  EXPECT_FAULT(Fault::kData, "banquet.on_null_key",
               SparkFailure("USER_RAISED_EXCEPTION", {"[…] BANQUET-NULL-KEY"}, ""));
  EXPECT_FAULT(Fault::kRemote, "ModuleNotFoundError: pyarrow",
               SparkFailure("", {"Job aborted", "ModuleNotFoundError: pyarrow", "at x.y"}, ""));
  EXPECT_FAULT(Fault::kRemote, "killed by signal 9",
               SparkFailure("", {"BANQUET-SINK exit -9: killed by signal 9"}, ""));
  EXPECT_FAULT(Fault::kRemote, "it printed nothing", SparkFailure("", {}, ""));
}

TEST(SparkFailureTest, TheSinksWordsAreFound) {
  EXPECT_EQ(FindSinkFailure({"INFO x", "BANQUET-SINK exit", ""}), std::nullopt);
  const auto failure = FindSinkFailure(
      {"Caused by: x", "RuntimeError: BANQUET-SINK exit 2: banquet: redis refused: NOPERM",
       "more"});
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, 2);
  EXPECT_EQ(failure->message, "redis refused: NOPERM");
  const auto killed = FindSinkFailure({"BANQUET-SINK exit -9: killed by signal 9"});
  ASSERT_TRUE(killed.has_value());
  EXPECT_EQ(killed->exit_code, -9);
  EXPECT_EQ(killed->message, "killed by signal 9");
}

}  // namespace
}  // namespace banquet
