#include "banquet/client/process/command_output.h"

#include <thread>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;

TEST(OutputOf, ReturnsWhatWasPrinted) {
  ASSERT_OK_AND_ASSIGN(const std::string output, OutputOf("printf 'a b'; cat", "it", {}));
  EXPECT_EQ(output, "a b");
}

TEST(OutputOf, AFailureNamesTheCommandAndNotItsWords) {
  const auto output = OutputOf("echo canary >/dev/null; exit 3", "the helper", {});
  EXPECT_FAULT(Fault::kUser, "the helper failed with exit code 3", output);
  EXPECT_EQ(output.status().ToString().find("canary"), std::string::npos);
  EXPECT_FAULT(Fault::kUser, "exit code -9", OutputOf("kill -9 $$", "the helper", {}));
}

TEST(OutputOf, EndsWhatDoesNotEnd) {
  const auto begun = std::chrono::steady_clock::now();
  // The second closes its output and goes on.
  for (const char* line : {"sleep 60 & sleep 60", "exec >&-; sleep 60"}) {
    const auto output = OutputOf(line, "it", {.timeout = milliseconds(200)});
    EXPECT_FAULT(Fault::kRemote, "did not end within 200 ms", output);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(10'000));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "", OutputOf("sleep 60", "it", {.stop = stop.get_token()}));
}

TEST(OutputOf, IsBounded) {
  EXPECT_FAULT(Fault::kUser, "more than 1000 bytes", OutputOf("yes", "it", {.bytes_max = 1000}));
}

}  // namespace
}  // namespace banquet
