#include "banquet/cli/job_wait.h"

#include <cstdio>

#include "banquet/cli/signals.h"

namespace banquet {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

}  // namespace

void WaitForJobs(const std::vector<std::shared_ptr<MaterializationJob>>& jobs, Progress* progress,
                 std::stop_source* stop) {
  for (const auto& job : jobs) {
    while (!job->Wait(kPollInterval)) {
      if (StopSignal() != 0) stop->request_stop();
      progress->Update();
    }
  }
  progress->Finish();
}

void TellWarnings(std::span<const std::string> warnings) {
  for (const std::string& warning : warnings) {
    std::fprintf(stderr, "banquet: warning: %s\n", warning.c_str());
  }
}

}  // namespace banquet
