#pragma once
// What commands share that write to online stores: run the tasks, and report.

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/cli/command.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/run_report.h"

namespace banquet {

// What is to be said of a run beside its tasks.
struct RunRemarks {
  std::vector<std::string> warnings;  // Not told yet.
  Status error;                       // Of the run as a whole.
};

// Runs the tasks of `run`, with progress and until a signal; tells the warnings first.
Result<RunReport> RunTasks(const GlobalOptions& options, RunParts* run, RunRemarks remarks,
                           Clock& clock, std::stop_source* stop,
                           std::chrono::steady_clock::time_point started);

using RunBody = std::function<Result<RunReport>(std::chrono::steady_clock::time_point started)>;

// Calls `body` and prints its report, or that of a run that never began: table or JSON, errors,
// metrics. Returns the exit code.
int ReportedRun(const GlobalOptions& options, const RunBody& body);

}  // namespace banquet
