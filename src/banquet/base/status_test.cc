#include "banquet/base/status.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(Status, EveryFaultHasItsExitCode) {
  EXPECT_EQ(ExitCodeOf(Status::OK()), 0);
  EXPECT_EQ(ExitCodeOf(UserError("x")), 2);
  EXPECT_EQ(ExitCodeOf(DataError("x")), 3);
  EXPECT_EQ(ExitCodeOf(RemoteError({}, "x")), 4);
  EXPECT_EQ(ExitCodeOf(Bug("x")), 70);
  EXPECT_EQ(ExitCodeOf(HeldError("x")), 75);
  EXPECT_EQ(ExitCodeOf(CancelledError()), 130);
}

TEST(Status, BareArrowStatusesHaveTheFaultOfTheirCode) {
  EXPECT_EQ(FaultOf(Status::IOError("x")), Fault::kRemote);
  EXPECT_EQ(FaultOf(Status::Cancelled("x")), Fault::kCancelled);
  EXPECT_EQ(FaultOf(Status::Invalid("x")), Fault::kData);
  EXPECT_EQ(FaultOf(Status::TypeError("x")), Fault::kData);
  EXPECT_EQ(FaultOf(Status::SerializationError("x")), Fault::kData);
  EXPECT_EQ(FaultOf(Status::NotImplemented("x")), Fault::kData);
  EXPECT_EQ(FaultOf(Status::KeyError("x")), Fault::kBug);
  EXPECT_FALSE(IsRetryable(Status::IOError("x")));
  EXPECT_EQ(RetryAfterOf(Status::IOError("x")).count(), 0);
}

TEST(Status, RemembersWhatTheServerAskedFor) {
  const Status status =
      RemoteError({.retryable = true, .after = std::chrono::milliseconds(250)}, "Busy: {}", 7);
  EXPECT_TRUE(IsRetryable(status));
  EXPECT_EQ(RetryAfterOf(status).count(), 250);
  EXPECT_EQ(status.message(), "Busy: 7");
  EXPECT_EQ(status.detail()->ToString(), "remote fault, retryable");
}

TEST(Status, AContextKeepsFaultAndRetry) {
  const Status status = Annotate(
      RemoteError({.retryable = true, .after = std::chrono::milliseconds(5)}, "Busy"), "view a");
  EXPECT_EQ(status.message(), "view a: Busy");
  EXPECT_EQ(FaultOf(status), Fault::kRemote);
  EXPECT_TRUE(IsRetryable(status));
  EXPECT_EQ(RetryAfterOf(status).count(), 5);
  EXPECT_OK(Annotate(Status::OK(), "view a"));
}

TEST(Status, AMessageIsOneLineWithoutArrowsAdditions) {
  EXPECT_EQ(MessageOf(UserError("a\r\nb")), "a  b");
  EXPECT_EQ(MessageOf(Status::OK()), "");
}

}  // namespace
}  // namespace banquet
