#include "bench/native/planned_run.h"

#include <CLI/App.hpp>
#include <filesystem>
#include <optional>
#include <stop_token>

#include "banquet/base/clock.h"
#include "banquet/base/time_text.h"
#include "banquet/builtin/products.h"
#include "banquet/engine/compute_engine.h"
#include "banquet/engine/task_selection.h"
#include "banquet/plan/feature_builder.h"

namespace banquet::bench {
namespace {

Result<GlobalOptions> OptionsOf(const RunArguments& arguments) {
  GlobalOptions options{.chdir = arguments.repo, .quiet = true};
  for (const std::string& option : arguments.options) {
    const size_t equal = option.find('=');
    if (equal == std::string::npos) return UserError("--set takes name=value, not {}", option);
    options.overrides.emplace_back(option.substr(0, equal), option.substr(equal + 1));
  }
  return options;
}

}  // namespace

void AddRunArguments(CLI::App* command, RunArguments* arguments) {
  command->add_option("--repo", arguments->repo, "Folder of the feature repository")->required();
  command->add_option("--start", arguments->start, "Start of the window")->required();
  command->add_option("--end", arguments->end, "End of the window")->required();
  command->add_option("--view", arguments->view, "Feature view; default: the only one");
  command->add_option("--threads", arguments->threads, "Workers");
  command->add_option("--set", arguments->options, "An option of banquet:, as name=value");
}

Result<std::unique_ptr<PlannedRun>> PlannedRun::Open(const RunArguments& arguments) {
  auto run = std::make_unique<PlannedRun>();
  run->threads_ = arguments.threads;
  BANQUET_ASSIGN_OR_RETURN(const GlobalOptions options, OptionsOf(arguments));
  BANQUET_ASSIGN_OR_RETURN(run->repository_, OpenRepository(options));
  Repository& repository = run->repository_;
  TaskQuery query;
  if (!arguments.view.empty()) query.views.push_back(arguments.view);
  BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(arguments.start));
  BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(arguments.end));
  const std::unique_ptr<EngineSet> engines = MakeLocalEngines(repository.config);
  BANQUET_ASSIGN_OR_RETURN(const std::vector<SelectedTask> tasks,
                           SelectTasks(*repository.contents, repository.config, query,
                                       engines->reach(), SystemClock().NowUs()));
  if (tasks.size() != 1)
    return UserError("The bench runs one view; name it with --view: {} found", tasks.size());
  BANQUET_RETURN_NOT_OK(tasks.front().refusal);
  BANQUET_ASSIGN_OR_RETURN(run->offline_store_, MakeOfflineStore(repository.config, {}));
  const ExecutionContext context{.config = &repository.config,
                                 .registry = repository.registry.get(),
                                 .contents = repository.contents,
                                 .offline_store = run->offline_store_.get(),
                                 .online_stores = {},
                                 .clock = &SystemClock(),
                                 .stop = {}};
  BANQUET_ASSIGN_OR_RETURN(run->group_, MakeTaskGroup(context, tasks.front().task));
  return run;
}

Result<std::unique_ptr<OnlineStore>> PlannedRun::MakeConfiguredStore() {
  return MakeOnlineStore(repository_.config, std::stop_token(), SystemClock());
}

Result<LoweredPlan> PlannedRun::Lower(OnlineStore* store, WriteOrder order) {
  fates_ = std::make_unique<RowFates>();
  tally_ = std::make_unique<StoreTally>();
  const FeatureBuilder builder(offline_store_->capabilities(), order);
  BANQUET_ASSIGN_OR_RETURN(ExecutionPlan plan, builder.Build(group_));
  const RunOptions& options = repository_.config.options;
  budget_ = std::make_unique<MemoryBudget>(options.memory_limit > 0 ? options.memory_limit
                                                                    : UsableMemoryBytes() / 2);
  PlanResources resources{.offline_store = offline_store_.get(),
                          .targets = {},
                          .fates = fates_.get(),
                          .retry = {.timeout = options.retry_timeout},
                          .clock = &SystemClock(),
                          .workers = threads_,
                          .stop = {},
                          .budget = budget_.get(),
                          .spill_directory = options.spill_directory.empty()
                                                 ? std::filesystem::temp_directory_path().string()
                                                 : options.spill_directory,
                          .late_materialization = options.late_materialization,
                          .skip_row_groups = options.skip_row_groups};
  if (store != nullptr) {
    lanes_ = std::make_unique<StoreLanes>("store", store);
    resources.targets.push_back({lanes_.get(), {tally_.get()}});
  }
  return LowerPlan(plan, resources);
}

}  // namespace banquet::bench
