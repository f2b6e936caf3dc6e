// `banquet materialize` and `banquet materialize-incremental`.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdio>
#include <utility>

#include "banquet/base/time_text.h"
#include "banquet/cli/command.h"
#include "banquet/cli/reported_run.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/shadow.h"

namespace banquet {
namespace {

struct MaterializeArguments {
  bool incremental = false;
  std::string start;
  std::string end;
  std::vector<std::string> views;
  bool disable_event_timestamp = false;
  std::string version;
  bool shadow = false;
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

// Before the run: what will be done, over which windows.
void Announce(const GlobalOptions& options, const RepoConfig& config, const TaskQuery& query,
              const std::vector<SelectedTask>& tasks) {
  if (options.quiet || options.progress == "none" || options.progress == "json") return;
  std::string window = "to " + FormatInstant(query.end_us);
  if (query.start_us.has_value()) window = "from " + FormatInstant(*query.start_us) + " " + window;
  std::string stores = config.online_store_type;
  for (const OnlineStoreBlock& further : config.options.online_stores)
    stores += ", " + further.name;
  std::fprintf(stderr, "Materializing %zu feature views %s into the %s online store%s.\n",
               tasks.size(), window.c_str(), stores.c_str(),
               config.options.online_stores.empty() ? "" : "s");
  for (const SelectedTask& selected : tasks) {
    for (const std::string& note : selected.notes) std::fprintf(stderr, "%s\n", note.c_str());
    if (query.start_us.has_value() || !selected.refusal.ok()) continue;
    const MaterializationTask& task = selected.task;
    std::fprintf(stderr, "%s: from %s to %s\n", task.view.name.c_str(),
                 FormatInstant(task.window.start_us).c_str(),
                 FormatInstant(task.window.end_us).c_str());
  }
}

// Rows may still come for a window that is recorded as done.
void WarnOfFutureEnd(const TaskQuery& query, int64_t now_us, std::vector<std::string>* warnings) {
  if (query.end_us <= now_us) return;
  warnings->push_back(fmt::format(
      "The window ends in the future ({}): rows that arrive after this run with event times before "
      "that end are not looked for by materialize-incremental, which refuses an END_TS before it",
      FormatInstant(query.end_us)));
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

// The run as it was asked for; an error is of a run that never began.
Result<RunReport> RunMaterialize(const GlobalOptions& options,
                                 const MaterializeArguments& arguments,
                                 std::chrono::steady_clock::time_point started) {
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(const TaskQuery query, QueryOf(arguments, clock.NowUs()));
  std::stop_source stop;
  BANQUET_ASSIGN_OR_RETURN(
      RunParts run, OpenRun(options, query, RunEngines::kConfigured, clock, stop.get_token()));
  const Repository& repository = run.repository;
  Announce(options, repository.config, query, run.tasks);
  std::vector<std::string> warnings;
  WarnOfFutureEnd(query, clock.NowUs(), &warnings);
  const Status run_error = LeftOutServices(repository, query, run.tasks, &warnings);
  return RunTasks(options, &run, {.warnings = std::move(warnings), .error = run_error}, clock,
                  &stop, started);
}

int RunShadow(const GlobalOptions& options, const MaterializeArguments& arguments) {
  const Result<TaskQuery> query = QueryOf(arguments, SystemClock().NowUs());
  if (!query.ok()) return ReportFailure(options, query.status());
  std::vector<std::string> words;
  if (arguments.disable_event_timestamp) {
    words.emplace_back("--disable-event-timestamp");
  } else {
    if (query->start_us.has_value()) words.push_back(FormatInstant(*query->start_us));
    words.push_back(FormatInstant(query->end_us));
  }
  for (const std::string& view : arguments.views) words.insert(words.end(), {"-v", view});
  if (!arguments.version.empty()) words.insert(words.end(), {"--version", arguments.version});
  return BecomeShadow(options, words);
}

int Run(const GlobalOptions& options, const MaterializeArguments& arguments) {
  if (arguments.shadow) return RunShadow(options, arguments);
  return ReportedRun(options,
                     [&](auto started) { return RunMaterialize(options, arguments, started); });
}

void AddViewOptions(CLI::App* command, MaterializeArguments* arguments) {
  AddViewsOption(command, &arguments->views,
                 "Feature view to materialize (repeatable; default: all)");
  command->add_option("--version", arguments->version,
                      "Version of the view (vN); needs exactly one --views");
  command->add_flag("--shadow", arguments->shadow,
                    "Run Feast's engine too, both into scratch stores, and compare them byte by "
                    "byte (wants Python and Feast)");
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
  materialize->footer(
      "Example: all views, then one view as if from the beginning:\n"
      "  banquet materialize 2026-01-01T00:00:00 2026-02-01T00:00:00\n"
      "  banquet materialize --disable-event-timestamp -v driver_hourly_stats\n"
      "The report goes to standard output (--json: one object), progress to standard error.");
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
  command->footer(
      "Example, as a scheduler runs it:\n"
      "  banquet materialize-incremental \"$(date -u +%Y-%m-%dT%H:%M:%S)\" --progress json --json\n"
      "Each view begins where its recorded intervals end; one without any at now minus its ttl, or "
      "52 weeks ago where the ttl is 0.");
  command->callback([body, incremental] {
    *body = [incremental](const GlobalOptions& options) { return Run(options, *incremental); };
  });
}

}  // namespace banquet
