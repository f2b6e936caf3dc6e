#pragma once
// What commands that run, plan or check tasks work with.

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/engine/execution_context.h"
#include "banquet/engine/task_selection.h"

namespace banquet {

struct RunParts {
  Repository repository;
  std::vector<SelectedTask> tasks;
  std::unique_ptr<OfflineStore> offline_store;
  OnlineStores online_stores;
  std::optional<int64_t> expected_winners;  // Known where rows were staged.
  // Where rows are staged, if they are.
  std::unique_ptr<StagingArea> staging;
  std::unique_ptr<OfflineStore> staged_store;
  std::unique_ptr<EngineSet> engines;

  // Borrows the parts, which stay where they are, and the clock.
  ExecutionContext Context(Clock& clock, const std::stop_token& stop) const;
};

// Which engines do the work: those of the configuration, or that of this process.
enum class RunEngines { kConfigured, kLocal };

// Makes what the configuration of `run` names beside engines: source, stores, staging. No store is
// contacted.
Status OpenStores(RunParts* run, Clock& clock, const std::stop_token& stop);

// Mistakes are told in this order: configuration and registry, views and window, source, stores.
// No store is contacted.
Result<RunParts> OpenRun(const GlobalOptions& options, const TaskQuery& query, RunEngines engines,
                         Clock& clock, const std::stop_token& stop);

}  // namespace banquet
