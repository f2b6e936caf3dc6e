// `banquet plan`: what materialize would do, without doing it.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/base/time_text.h"
#include "banquet/cli/command.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/text_table.h"
#include "banquet/engine/local/local_compute_engine.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

struct PlanArguments {
  std::string start;
  std::string end;
  std::vector<std::string> views;
  std::string version;
};

void PrintPlanned(const SelectedTask& selected, const PlannedTask& planned) {
  std::printf("%s\n", selected.task.view.name.c_str());
  std::string indented = "  ";
  for (char c : planned.plan) {
    indented += c;
    if (c == '\n') indented += "  ";
  }
  indented.resize(indented.size() - 2);
  std::printf("%s", indented.c_str());
  for (const std::string& text : planned.scan.pushed_down)
    std::printf("  pushed down: %s\n", text.c_str());
  std::vector<std::vector<std::string>> rows = {{"  FILE", "ROWS", "ROW GROUPS", "PRUNED"}};
  for (const ScanSummary::File& file : planned.scan.files) {
    rows.push_back({"  " + file.path, WithThousands(file.rows), std::to_string(file.row_groups),
                    std::to_string(file.row_groups_pruned)});
  }
  std::printf("%s", FormatTable(rows, {false, true, true, true}).c_str());
  if (planned.scan.files_pruned > 0)
    std::printf("  %d files pruned by their partition\n", planned.scan.files_pruned);
  std::printf("  %s of %s rows will be read\n\n",
              WithThousands(planned.scan.rows - planned.scan.rows_pruned).c_str(),
              WithThousands(planned.scan.rows).c_str());
}

Json JsonOf(const SelectedTask& selected, const Result<PlannedTask>& planned) {
  const TimeWindow& window = selected.task.window;
  Json object = {
      {"name", selected.task.view.name},
      {"window",
       {{"start", FormatRfc3339(window.start_us)}, {"end", FormatRfc3339(window.end_us)}}}};
  if (!planned.ok()) {
    object["error"] = MessageOf(planned.status());
    return object;
  }
  auto files = Json::array();
  for (const ScanSummary::File& file : planned->scan.files) {
    files.push_back({{"path", file.path},
                     {"rows", file.rows},
                     {"row_groups", file.row_groups},
                     {"row_groups_pruned", file.row_groups_pruned}});
  }
  auto steps = Json::array();
  for (size_t begin = 0; begin < planned->plan.size();) {
    const size_t end = planned->plan.find('\n', begin);
    steps.push_back(planned->plan.substr(begin, end - begin));
    begin = end + 1;
  }
  object["error"] = Json();
  object["plan"] = steps;
  object["pushed_down"] = planned->scan.pushed_down;
  object["files"] = files;
  object["files_pruned"] = planned->scan.files_pruned;
  object["rows"] = planned->scan.rows;
  object["rows_pruned"] = planned->scan.rows_pruned;
  return object;
}

Result<int> RunPlan(const GlobalOptions& options, const PlanArguments& arguments) {
  TaskQuery query{.views = arguments.views, .version = {}, .start_us = {}};
  if (!arguments.version.empty()) query.version = arguments.version;
  BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(arguments.start));
  BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(arguments.end));
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(const RunParts run, OpenRun(options, query, clock, {}));
  const ExecutionContext context = run.Context(clock, {});
  Status error;  // The worst view's.
  auto views = Json::array();
  for (const SelectedTask& selected : run.tasks) {
    const Result<PlannedTask> planned = selected.refusal.ok()
                                            ? PlanTask(context, selected.task)
                                            : Result<PlannedTask>(selected.refusal);
    if (!planned.ok()) {
      if (ExitCodeOf(planned.status()) > ExitCodeOf(error))
        error = Annotate(planned.status(), selected.task.view.name);
      std::fprintf(stderr, "banquet: %s: %s\n", selected.task.view.name.c_str(),
                   MessageOf(planned.status()).c_str());
    }
    if (options.json) {
      views.push_back(JsonOf(selected, planned));
    } else if (planned.ok()) {
      PrintPlanned(selected, *planned);
    }
  }
  if (options.json) {
    const Json object = {{"status", error.ok() ? "SUCCEEDED" : "ERROR"},
                         {"error", error.ok() ? Json() : Json(MessageOf(error))},
                         {"views", views}};
    std::printf("%s\n", object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }
  return ExitCodeOf(error);
}

}  // namespace

void AddPlanCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<PlanArguments>();
  CLI::App* plan =
      app.add_subcommand("plan", "Show what materialize would read and do; writes nothing");
  plan->add_option("START_TS", arguments->start, "Start of the window")->required();
  plan->add_option("END_TS", arguments->end, "End of the window")->required();
  AddViewsOption(plan, &arguments->views, "Feature view (repeatable; default: all)");
  plan->add_option("--version", arguments->version,
                   "Version of the view (vN); needs exactly one --views");
  plan->footer("Example:\n  banquet plan 2026-01-01 2026-02-01 -v driver_hourly_stats");
  plan->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) {
      const Result<int> exit_code = RunPlan(options, *arguments);
      return exit_code.ok() ? *exit_code : ReportFailure(options, exit_code.status());
    };
  });
}

}  // namespace banquet
