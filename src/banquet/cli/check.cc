// `banquet check`: whether a run has what it needs.

#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/cli/command.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/text_table.h"
#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

struct CheckArguments {
  std::vector<std::string> views;
};

// One thing that a run needs.
struct Finding {
  std::string what;  // "registry", "view driver_hourly_stats", "online store redis".
  Status status;
  bool skipped = false;  // By banquet.unsupported.
};

// The source of each view: its files are opened and its columns found, no row is read. Views that
// may be written are added to `columns`.
void CheckViews(const ExecutionContext& context, const RunParts& run,
                std::vector<Finding>* findings, std::vector<ViewColumns>* columns) {
  for (const SelectedTask& selected : run.tasks) {
    Finding& finding = findings->emplace_back();
    finding.what = "view " + selected.task.view.name;
    if (!selected.refusal.ok()) {
      finding.skipped = MaySkip(context.config->options.unsupported, selected);
      if (!finding.skipped) finding.status = selected.refusal;
      continue;
    }
    finding.status = run.engines->Of(selected.task.view.name).Plan(context, selected.task).status();
    Result<ViewColumns> view = ViewColumnsOf(selected.task, *context.contents, *context.config);
    if (view.ok()) {
      columns->push_back(*std::move(view));
    } else if (finding.status.ok()) {
      finding.status = view.status();
    }
  }
}

Result<std::vector<Finding>> RunCheck(const GlobalOptions& options,
                                      const CheckArguments& arguments) {
  Clock& clock = SystemClock();
  const TaskQuery query{
      .views = arguments.views, .version = {}, .start_us = 0, .end_us = clock.NowUs()};
  BANQUET_ASSIGN_OR_RETURN(const RunParts run,
                           OpenRun(options, query, RunEngines::kConfigured, clock, {}));
  const ExecutionContext context = run.Context(clock, {});
  std::vector<Finding> findings = {{"registry", context.registry->CheckWritable()}};
  std::vector<ViewColumns> columns;
  CheckViews(context, run, &findings, &columns);
  for (const StoreLanes* lanes : context.online_stores) {
    findings.push_back({"online store " + lanes->name(), lanes->store().Check(columns)});
  }
  return findings;
}

int Print(const GlobalOptions& options, const std::vector<Finding>& findings) {
  Status worst;
  auto checks = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : findings) {
    const bool ok = finding.status.ok();
    if (ExitCodeOf(finding.status) > ExitCodeOf(worst)) worst = finding.status;
    checks.push_back({{"what", finding.what},
                      {"ok", ok},
                      {"skipped", finding.skipped},
                      {"error", ok ? Json() : Json(MessageOf(finding.status))}});
    rows.push_back({finding.what, finding.skipped ? "skipped" : ok ? "ok" : "FAILED"});
    if (!ok) {
      std::fprintf(stderr, "banquet: %s: %s\n", finding.what.c_str(),
                   MessageOf(finding.status).c_str());
    }
  }
  if (options.json) {
    const Json object = {{"status", worst.ok() ? "SUCCEEDED" : "ERROR"},
                         {"error", worst.ok() ? Json() : Json(MessageOf(worst))},
                         {"checks", std::move(checks)}};
    std::printf("%s\n", object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (!options.quiet) {
    std::printf("%s", FormatTable(rows).c_str());
  }
  return ExitCodeOf(worst);
}

}  // namespace

void AddCheckCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app.add_subcommand(
      "check", "Try what a run needs, the registry, sources, stores and rights, and write nothing");
  AddViewsOption(command, &arguments->views, "Feature view (repeatable; default: all)");
  command->footer(
      "Example, before the first run on a new machine:\n"
      "  banquet check && banquet materialize-incremental \"$(date -u +%Y-%m-%dT%H:%M:%S)\"");
  command->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) {
      const Result<std::vector<Finding>> findings = RunCheck(options, *arguments);
      return findings.ok() ? Print(options, *findings) : ReportFailure(options, findings.status());
    };
  });
}

}  // namespace banquet
