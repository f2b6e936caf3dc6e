#include "banquet/cli/run_parts.h"

namespace banquet {

ExecutionContext RunParts::Context(Clock& clock, const std::stop_token& stop) const {
  return {.config = &repository.config,
          .registry = repository.registry.get(),
          .contents = repository.contents,
          .offline_store = offline_store.get(),
          .staging = staging.get(),
          .staged_store = staged_store.get(),
          .expected_winners = expected_winners,
          .online_stores = online_stores.All(),
          .clock = &clock,
          .stop = stop};
}

Status OpenStores(RunParts* run, Clock& clock, const std::stop_token& stop) {
  const RepoConfig& config = run->repository.config;
  BANQUET_ASSIGN_OR_RETURN(run->offline_store, MakeOfflineStore(config, stop));
  BANQUET_ASSIGN_OR_RETURN(run->online_stores, MakeOnlineStores(config, stop, clock));
  BANQUET_ASSIGN_OR_RETURN(run->staging, MakeStagingArea(config, stop, clock));
  return MakeStagedStore(config).Value(&run->staged_store);
}

Result<RunParts> OpenRun(const GlobalOptions& options, const TaskQuery& query, RunEngines engines,
                         Clock& clock, const std::stop_token& stop) {
  RunParts run;
  BANQUET_ASSIGN_OR_RETURN(run.repository, OpenRepository(options));
  const RepoConfig& config = run.repository.config;
  if (engines == RunEngines::kConfigured) {
    BANQUET_ASSIGN_OR_RETURN(run.engines, MakeEngines(config, stop, clock));
  } else {
    run.engines = MakeLocalEngines(config);
  }
  BANQUET_ASSIGN_OR_RETURN(run.tasks, SelectTasks(*run.repository.contents, config, query,
                                                  run.engines->reach(), clock.NowUs()));
  BANQUET_RETURN_NOT_OK(OpenStores(&run, clock, stop));
  return run;
}

}  // namespace banquet
