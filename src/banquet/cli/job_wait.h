#pragma once
// What commands that run jobs share: waiting for them, and telling warnings.

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/cli/progress.h"
#include "banquet/engine/materialization_job.h"

namespace banquet {

// Waits for all jobs, drawing progress; passes a signal on as a stop request.
void WaitForJobs(const std::vector<std::shared_ptr<MaterializationJob>>& jobs, Progress* progress,
                 std::stop_source* stop);

// To standard error, a line each.
void TellWarnings(std::span<const std::string> warnings);

}  // namespace banquet
