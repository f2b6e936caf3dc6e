// `banquet verify`: compares the online store with the source.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "banquet/base/time_text.h"
#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/cli/job_wait.h"
#include "banquet/cli/run_report.h"
#include "banquet/cli/signals.h"
#include "banquet/cli/text_table.h"
#include "banquet/encode/entity_key_text.h"
#include "banquet/engine/audit_store.h"
#include "banquet/engine/task_selection.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDifferences = 1;  // The exit code of diff and cmp.

struct VerifyArguments {
  std::string start;
  std::string end;
  std::vector<std::string> views;
  int64_t sample = 0;
  bool all = false;
  int64_t rate_max = 0;
};

struct VerifiedView {
  std::string name;
  TimeWindow window;
  Status error;
  ViewAudit audit;
};

struct VerifyReport {
  RunReport run;
  std::vector<VerifiedView> views;
  int exit_code = 0;
};

Result<TaskQuery> QueryOf(const VerifyArguments& arguments, int64_t now_us) {
  TaskQuery query{.views = arguments.views, .version = {}, .start_us = 0, .end_us = now_us};
  if (arguments.all && arguments.sample > 0) {
    return UserError("--all and --sample exclude each other");
  }
  if (arguments.start.empty()) return query;
  if (arguments.end.empty()) return UserError("Give both START_TS and END_TS, or neither");
  BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(arguments.start));
  BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(arguments.end));
  return query;
}

// A view without a recorded interval is left out unless it was named.
Status UseRecordedWindows(const VerifyArguments& arguments, bool quiet,
                          std::vector<SelectedTask>* tasks) {
  std::vector<std::string> without;
  for (SelectedTask& selected : *tasks) {
    if (const std::optional<TimeWindow> span = RecordedSpan(selected.task.view)) {
      selected.task.window = *span;
    } else {
      without.push_back(selected.task.view.name);
    }
  }
  std::erase_if(*tasks, [](const SelectedTask& selected) {
    return selected.task.view.materialization_intervals.empty();
  });
  for (const std::string& view : without) {
    if (!arguments.views.empty() || tasks->empty()) {
      return UserError(
          "View {} has no recorded interval to verify; give START_TS and END_TS, or materialize it "
          "first",
          view);
    }
  }
  for (std::string& text : without)
    text = "View " + text + " has no recorded interval and is not verified";
  if (!quiet) TellWarnings(without);
  return Status::OK();
}

Result<VerifyReport> RunVerify(const GlobalOptions& options, const VerifyArguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(const TaskQuery query, QueryOf(arguments, clock.NowUs()));
  BANQUET_ASSIGN_OR_RETURN(const Repository repository, OpenRepository(options));
  const std::unique_ptr<EngineSet> engines = MakeLocalEngines(repository.config);
  BANQUET_ASSIGN_OR_RETURN(
      std::vector<SelectedTask> tasks,
      SelectTasks(*repository.contents, repository.config, query, engines->reach(), clock.NowUs()));
  if (arguments.start.empty()) {
    BANQUET_RETURN_NOT_OK(UseRecordedWindows(arguments, options.quiet, &tasks));
  }
  for (SelectedTask& selected : tasks) selected.task.records_interval = false;
  std::stop_source stop;
  BANQUET_ASSIGN_OR_RETURN(const auto offline_store,
                           MakeOfflineStore(repository.config, stop.get_token()));
  BANQUET_ASSIGN_OR_RETURN(const auto online_store,
                           MakeOnlineStore(repository.config, stop.get_token(), clock));
  const bool samples = arguments.sample > 0;
  AuditStore audit(online_store.get(),
                   samples ? std::optional(static_cast<size_t>(arguments.sample)) : std::nullopt);
  StoreLanes lanes(repository.config.online_store_type, &audit, samples ? 0 : arguments.rate_max);
  const ExecutionContext context{.config = &repository.config,
                                 .registry = repository.registry.get(),
                                 .contents = repository.contents,
                                 .offline_store = offline_store.get(),
                                 .online_stores = {&lanes},
                                 .clock = &clock,
                                 .stop = stop.get_token()};
  CatchStopSignals();
  const auto jobs = engines->Materialize(context, std::move(tasks));
  const auto progress = MakeProgress(ChooseProgressMode(options.progress, options.quiet), jobs);
  WaitForJobs(jobs, progress.get(), &stop);
  RateLimit rate(arguments.rate_max);
  const Status compared = audit.CompareSample(&rate, &clock, stop.get_token());
  if (!compared.ok()) std::fprintf(stderr, "banquet: %s\n", MessageOf(compared).c_str());
  VerifyReport report{
      .run = MakeRunReport(
          jobs, {}, compared, StopSignal(),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()),
      .views = {}};
  report.exit_code = report.run.exit_code;
  std::map<std::string, ViewAudit> audits = audit.audits();
  for (size_t i = 0; i < jobs.size(); ++i) {
    const ViewReport& view = report.run.views[i];
    VerifiedView& verified = report.views.emplace_back();
    verified.name = view.name;
    verified.window = view.window;
    verified.error = view.error;
    verified.audit = std::move(audits[jobs[i]->task().storage_name]);
    if (!verified.audit.IsWhole()) report.exit_code = std::max(report.exit_code, kDifferences);
  }
  return report;
}

std::string StatusOf(const VerifyReport& report) {
  return report.exit_code == kDifferences ? "DIFFERENT" : report.run.status;
}

std::string AsTable(const VerifyReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"VIEW", "CHECKED", "EQUAL", "MISSING", "STALE", "AHEAD", "DIFFERING"}};
  for (const VerifiedView& view : report.views) {
    rows.push_back({view.name, WithThousands(view.audit.checked())});
    for (const int64_t count : view.audit.counts) rows.back().push_back(WithThousands(count));
  }
  std::string text = FormatTable(rows, {false, true, true, true, true, true, true});
  for (const VerifiedView& view : report.views) {
    for (const AuditExample& example : view.audit.examples) {
      text += fmt::format("{}: {} {}: source {}", view.name, NameOf(example.standing),
                          EntityKeyToText(example.entity_key), FormatRfc3339(example.source_us));
      if (example.stored_us.has_value()) text += ", stored " + FormatRfc3339(*example.stored_us);
      if (!example.features.empty())
        text += fmt::format(", other values of {}", fmt::join(example.features, ", "));
      text += "\n";
    }
  }
  return text + fmt::format("{} in {}.\n", StatusOf(report), FormatSeconds(report.run.seconds));
}

Json ExampleAsJson(const AuditExample& example) {
  Json json = {{"standing", NameOf(example.standing)},
               {"entity", EntityKeyToText(example.entity_key)},
               {"source", FormatRfc3339(example.source_us)},
               {"stored", nullptr},
               {"features", example.features}};
  if (example.stored_us.has_value()) json["stored"] = FormatRfc3339(*example.stored_us);
  return json;
}

std::string AsJson(const VerifyReport& report) {
  Json views = Json::array();
  for (const VerifiedView& view : report.views) {
    Json json = {{"name", view.name},
                 {"error", view.error.ok() ? Json() : Json(MessageOf(view.error))},
                 {"window",
                  {{"start", FormatRfc3339(view.window.start_us)},
                   {"end", FormatRfc3339(view.window.end_us)}}},
                 {"checked", view.audit.checked()}};
    for (size_t i = 0; i < kStandings; ++i) {
      json[std::string(NameOf(static_cast<Standing>(i)))] = view.audit.counts[i];
    }
    json["examples"] = Json::array();
    for (const AuditExample& example : view.audit.examples) {
      json["examples"].push_back(ExampleAsJson(example));
    }
    views.push_back(std::move(json));
  }
  const Json json = {{"status", StatusOf(report)},
                     {"error", report.run.error.ok() ? Json() : Json(MessageOf(report.run.error))},
                     {"seconds", report.run.seconds},
                     {"views", std::move(views)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int Run(const GlobalOptions& options, const VerifyArguments& arguments) {
  const Result<VerifyReport> report = RunVerify(options, arguments);
  if (!report.ok()) return ReportFailure(options, report.status());
  TellWarnings(report->run.warnings);
  for (const VerifiedView& view : report->views) {
    if (!view.error.ok() || view.audit.checked() > 0) continue;
    std::fprintf(
        stderr,
        "banquet: warning: View %s: the source has no row in the window, so that nothing was "
        "compared\n",
        view.name.c_str());
  }
  for (const ViewReport& view : report->run.views) {
    if (!view.error.ok()) std::fprintf(stderr, "banquet: %s\n", NamedError(view).c_str());
  }
  if (options.json) {
    std::printf("%s\n", AsJson(*report).c_str());
  } else if (!options.quiet) {
    std::printf("%s", AsTable(*report).c_str());
  }
  return report->exit_code;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command =
      app.add_subcommand("verify", "Compare the online store with the source, and write nothing");
  command->add_option("START_TS", arguments->start,
                      "Start of the window, inclusive; default: the earliest recorded start");
  command->add_option("END_TS", arguments->end,
                      "End of the window, inclusive; default: the latest recorded end");
  AddViewsOption(command, &arguments->views,
                 "Feature view to verify (repeatable; default: all that were materialized)");
  command
      ->add_option("--sample", arguments->sample,
                   "Compare only so many entities of each view, chosen by a hash of their keys")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  command->add_flag("--all", arguments->all, "Compare every entity (the default)");
  command
      ->add_option("--rate-max", arguments->rate_max,
                   "Read at most so many entities a second from the online store")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  command->footer(
      "Per view: entities whose newest row of the window is stored (equal), not stored (missing), "
      "stored from an\nolder row (stale), from a newer one (ahead), or at the same time with other "
      "values (differing).\nExit code 0: all equal or ahead; 1: not. What is stored of entities "
      "that the window does not have is not looked at.\n"
      "Example: an estate that Feast wrote, a thousand entities of each view, gently:\n"
      "  banquet verify --sample 1000 --rate-max 500");
  command->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) { return Run(options, *arguments); };
  });
}

}  // namespace banquet
