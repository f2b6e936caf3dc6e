// `banquet materialize` and `banquet materialize-incremental`.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdio>

#include "banquet/base/time_text.h"
#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/cli/progress.h"
#include "banquet/cli/run_report.h"
#include "banquet/cli/signals.h"
#include "banquet/client/filesystem/atomic_file.h"
#include "banquet/engine/task_selection.h"

namespace banquet {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

struct MaterializeArguments {
  bool incremental = false;
  std::string start;
  std::string end;
  std::vector<std::string> views;
  bool disable_event_timestamp = false;
  std::string version;
};

Result<TaskQuery> QueryOf(const MaterializeArguments& arguments, int64_t now_us) {
  TaskQuery query{.views = arguments.views, .version = {}, .start_us = {}};
  if (!arguments.version.empty()) query.version = arguments.version;
  if (arguments.incremental) {
    BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseIsoInstant(arguments.end));
    return query;
  }
  query.disable_event_timestamp = arguments.disable_event_timestamp;
  if (arguments.disable_event_timestamp) {
    if (!arguments.start.empty() || !arguments.end.empty()) {
      return UserError("Cannot specify START_TS or END_TS when --disable-event-timestamp is used");
    }
    query.start_us = 0;
    query.end_us = now_us;
    return query;
  }
  if (arguments.start.empty() || arguments.end.empty()) {
    return UserError("START_TS and END_TS are required unless --disable-event-timestamp is used");
  }
  BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(arguments.start));
  BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(arguments.end));
  return query;
}

void Announce(const GlobalOptions& options, const RepoConfig& config, const TaskQuery& query,
              const std::vector<SelectedTask>& tasks) {
  if (options.quiet || options.progress == "none") return;
  std::string window = "to " + FormatInstant(query.end_us);
  if (query.start_us.has_value()) window = "from " + FormatInstant(*query.start_us) + " " + window;
  std::fprintf(stderr, "Materializing %zu feature views %s into the %s online store.\n",
               tasks.size(), window.c_str(), config.online_store_type.c_str());
  for (const SelectedTask& task : tasks) {
    if (task.note.has_value()) std::fprintf(stderr, "%s\n", task.note->c_str());
  }
}

// Feature services whose vectors this version does not recompute: named always; an error of a run
// of all views, unless banquet.unsupported skips.
Status LeftOutServices(const Repository& repository, const TaskQuery& query,
                       const std::vector<SelectedTask>& tasks, std::vector<std::string>* warnings) {
  Status error;
  for (const std::string& name :
       PrecomputedServices(*repository.contents, repository.config.project, tasks)) {
    const Status status = UserError(
        "Feature service {} has precompute_online, which this version does not support: its "
        "vectors are not recomputed",
        name);
    if (query.views.empty() && !repository.config.options.unsupported.skip_all) {
      error = status;
    }
    warnings->push_back(MessageOf(status));
  }
  return error;
}

// Waits for all jobs, drawing progress; passes a signal on as a stop request.
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

int PrintReport(const GlobalOptions& options, RunReport report) {
  if (!options.metrics_file.empty()) {
    if (const Status status = ReplaceFile(options.metrics_file, ReportAsMetrics(report));
        !status.ok()) {
      report.warnings.push_back("The metrics could not be written: " + MessageOf(status));
    }
  }
  for (const std::string& warning : report.warnings)
    std::fprintf(stderr, "banquet: warning: %s\n", warning.c_str());
  for (const ViewReport& view : report.views) {
    if (view.error.ok()) continue;
    std::fprintf(stderr, "banquet: %s: %s\n", view.name.c_str(), MessageOf(view.error).c_str());
  }
  if (options.json) {
    std::printf("%s\n", ReportAsJson(report).c_str());
  } else if (!options.quiet) {
    std::printf("%s", ReportAsTable(report).c_str());
  }
  std::fflush(stdout);
  return report.exit_code;
}

Result<int> RunMaterialize(const GlobalOptions& options, const MaterializeArguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(const TaskQuery query, QueryOf(arguments, clock.NowUs()));
  BANQUET_ASSIGN_OR_RETURN(const Repository repository, OpenRepository(options));
  BANQUET_ASSIGN_OR_RETURN(
      std::vector<SelectedTask> tasks,
      SelectTasks(*repository.contents, repository.config, query, clock.NowUs()));
  std::stop_source stop;
  BANQUET_ASSIGN_OR_RETURN(const auto offline_store, MakeOfflineStore(repository.config));
  BANQUET_ASSIGN_OR_RETURN(const auto online_store,
                           MakeOnlineStore(repository.config, stop.get_token(), clock));
  StoreLanes lanes(repository.config.online_store_type, online_store.get());
  const ExecutionContext context{.config = &repository.config,
                                 .registry = repository.registry.get(),
                                 .contents = repository.contents,
                                 .offline_store = offline_store.get(),
                                 .online_stores = {&lanes},
                                 .clock = &clock,
                                 .stop = stop.get_token()};
  BANQUET_ASSIGN_OR_RETURN(const auto engine, MakeComputeEngine(repository.config));
  CatchStopSignals();
  Announce(options, repository.config, query, tasks);
  std::vector<std::string> warnings;
  Status run_error = LeftOutServices(repository, query, tasks, &warnings);
  const auto jobs = engine->Materialize(context, std::move(tasks));
  const auto progress = MakeProgress(ChooseProgressMode(options.progress, options.quiet), jobs);
  WaitForJobs(jobs, progress.get(), &stop);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return PrintReport(options,
                     MakeRunReport(jobs, std::move(warnings), run_error, StopSignal(), seconds));
}

int Run(const GlobalOptions& options, const MaterializeArguments& arguments) {
  const Result<int> exit_code = RunMaterialize(options, arguments);
  return exit_code.ok() ? *exit_code : ReportFailure(options, exit_code.status());
}

void AddViewOptions(CLI::App* command, MaterializeArguments* arguments) {
  command
      ->add_option("-v,--views", arguments->views,
                   "Feature view to materialize (repeatable; default: all)")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_option("--version", arguments->version,
                      "Version of the view (vN); needs exactly one --views");
}

}  // namespace

void AddMaterializeCommands(CLI::App& app, CommandBody* body) {
  auto full = std::make_shared<MaterializeArguments>();
  CLI::App* materialize =
      app.add_subcommand("materialize", "Write a window of feature values to the online store");
  materialize->add_option("START_TS", full->start,
                          "Start of the window, inclusive; without zone UTC");
  materialize->add_option("END_TS", full->end, "End of the window, inclusive; without zone UTC");
  materialize->add_flag("--disable-event-timestamp", full->disable_event_timestamp,
                        "From 1970 until this moment");
  AddViewOptions(materialize, full.get());
  materialize->callback([body, full] {
    *body = [full](const GlobalOptions& options) { return Run(options, *full); };
  });

  auto incremental = std::make_shared<MaterializeArguments>();
  incremental->incremental = true;
  CLI::App* command = app.add_subcommand(
      "materialize-incremental",
      "Write what came since each view's last materialization to the online store");
  command
      ->add_option("END_TS", incremental->end,
                   "End of the window, inclusive; ISO 8601, without zone UTC")
      ->required();
  AddViewOptions(command, incremental.get());
  command->callback([body, incremental] {
    *body = [incremental](const GlobalOptions& options) { return Run(options, *incremental); };
  });
}

}  // namespace banquet
