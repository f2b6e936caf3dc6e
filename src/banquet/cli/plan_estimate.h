#pragma once
// `banquet plan --estimate`: what the stores would be given.

#include <memory>
#include <string>
#include <vector>

#include "banquet/cli/command.h"
#include "banquet/cli/run_parts.h"
#include "banquet/engine/estimate_store.h"

namespace banquet {

struct StoreEstimate {
  std::string store;  // Its name in reports.
  WriteEstimate write;
};

struct ViewEstimate {
  Status error;                       // Why it could not be counted.
  std::vector<StoreEstimate> stores;  // In the order of the configuration.
};

// Reads the source of every task and counts; one for each of run.tasks. Locks and writes nothing.
// Ends early, with CancelledError, by a signal.
Result<std::vector<ViewEstimate>> EstimateTasks(const GlobalOptions& options, const RunParts& run,
                                                Clock& clock);

}  // namespace banquet
