#include "banquet/cli/plan_estimate.h"

#include <utility>

#include "banquet/cli/job_wait.h"
#include "banquet/cli/progress.h"
#include "banquet/cli/signals.h"
#include "banquet/engine/unlocked_registry.h"

namespace banquet {

Result<std::vector<ViewEstimate>> EstimateTasks(const GlobalOptions& options, const RunParts& run,
                                                Clock& clock) {
  std::stop_source stop;
  UnlockedRegistry registry(run.repository.registry.get());
  ExecutionContext context = run.Context(clock, stop.get_token());
  context.registry = &registry;
  context.staging = nullptr;
  std::vector<std::unique_ptr<EstimateStore>> stores;
  std::vector<std::unique_ptr<StoreLanes>> lanes;
  for (StoreLanes*& real : context.online_stores) {
    stores.push_back(std::make_unique<EstimateStore>(&real->store()));
    lanes.push_back(std::make_unique<StoreLanes>(real->name(), stores.back().get()));
    real = lanes.back().get();
  }
  std::vector<SelectedTask> tasks = run.tasks;
  for (SelectedTask& selected : tasks) selected.task.records_interval = false;
  const std::unique_ptr<EngineSet> engines = MakeLocalEngines(run.repository.config);
  CatchStopSignals();
  const auto jobs = engines->Materialize(context, std::move(tasks));
  const auto progress = MakeProgress(ChooseProgressMode(options.progress, options.quiet), jobs);
  WaitForJobs(jobs, progress.get(), &stop);
  if (stop.stop_requested()) return CancelledError();
  std::vector<ViewEstimate> estimates;
  for (const auto& job : jobs) {
    ViewEstimate& estimate = estimates.emplace_back();
    estimate.error = job->error();
    for (size_t i = 0; i < stores.size(); ++i) {
      estimate.stores.push_back(
          {.store = lanes[i]->name(), .write = stores[i]->estimates()[job->task().storage_name]});
    }
  }
  return estimates;
}

}  // namespace banquet
