#pragma once
// The engines of a run: one for all views, and those that single views have of their own.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "banquet/engine/compute_engine.h"

namespace banquet {

// Serves one Materialize call; its destructor waits for the jobs.
class EngineSet {
 public:
  explicit EngineSet(std::unique_ptr<ComputeEngine> of_all);
  // In place of the engine of all.
  void Add(std::unique_ptr<ComputeEngine> engine, const std::vector<std::string>& views);

  ComputeEngine& Of(const std::string& view) const;
  ReachOf reach() const;  // Borrows the set.
  // Of all engines: one job per task, in order; returns while they run.
  Jobs Materialize(const ExecutionContext& context, std::vector<SelectedTask> tasks);

 private:
  ExecutionContext context_;                             // Outlives the engines.
  std::vector<std::unique_ptr<ComputeEngine>> engines_;  // The first is that of all.
  std::map<std::string, size_t> own_;
};

}  // namespace banquet
