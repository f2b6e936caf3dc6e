// `banquet plan`: what materialize would do, without doing it.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/base/time_text.h"
#include "banquet/cli/command.h"
#include "banquet/cli/plan_estimate.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/text_table.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

struct PlanArguments {
  std::string start;
  std::string end;
  std::vector<std::string> views;
  std::string version;
  bool estimate = false;
};

void PrintEstimate(const ViewEstimate& estimate) {
  for (const StoreEstimate& store : estimate.stores) {
    std::printf("  to %s: %s entities, %s bytes of keys and values", store.store.c_str(),
                WithThousands(store.write.rows).c_str(), WithThousands(store.write.bytes).c_str());
    if (store.write.units.has_value()) {
      std::printf(", %s write units, %s at %s a second",
                  WithThousands(static_cast<int64_t>(*store.write.units)).c_str(),
                  FormatSeconds(store.write.seconds()).c_str(),
                  WithThousands(static_cast<int64_t>(store.write.units_per_second)).c_str());
    }
    std::printf("\n");
  }
}

void PrintFiles(const ScanSummary& scan) {
  std::vector<std::vector<std::string>> rows = {{"  FILE", "ROWS", "ROW GROUPS", "PRUNED"}};
  for (const ScanSummary::File& file : scan.files) {
    rows.push_back({"  " + file.path, WithThousands(file.rows), std::to_string(file.row_groups),
                    std::to_string(file.row_groups_pruned)});
  }
  std::printf("%s", FormatTable(rows, {false, true, true, true}).c_str());
  if (scan.files_pruned > 0)
    std::printf("  %d files pruned by their partition\n", scan.files_pruned);
  std::printf("  %s of %s rows will be read\n", WithThousands(scan.rows - scan.rows_pruned).c_str(),
              WithThousands(scan.rows).c_str());
}

// `estimate`: nullptr where none was asked for.
void PrintPlanned(const SelectedTask& selected, const PlannedTask& planned,
                  const ViewEstimate* estimate) {
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
  if (!planned.scan.files.empty()) PrintFiles(planned.scan);
  if (estimate != nullptr) PrintEstimate(*estimate);
  std::printf("\n");
}

Json JsonOf(const ViewEstimate& estimate) {
  auto stores = Json::array();
  for (const auto& [name, write] : estimate.stores) {
    Json store = {{"name", name},
                  {"entities", write.rows},
                  {"bytes", write.bytes},
                  {"write_units", nullptr},
                  {"write_units_per_second", nullptr},
                  {"write_seconds", nullptr}};
    if (write.units.has_value()) {
      store["write_units"] = static_cast<int64_t>(*write.units);
      store["write_units_per_second"] = write.units_per_second;
      store["write_seconds"] = write.seconds();
    }
    stores.push_back(std::move(store));
  }
  return stores;
}

Json JsonOf(const SelectedTask& selected, const Result<PlannedTask>& planned,
            const ViewEstimate* estimate) {
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
  if (estimate != nullptr) object["stores"] = JsonOf(*estimate);
  return object;
}

Result<int> RunPlan(const GlobalOptions& options, const PlanArguments& arguments) {
  TaskQuery query{.views = arguments.views, .version = {}, .start_us = {}};
  if (!arguments.version.empty()) query.version = arguments.version;
  BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(arguments.start));
  BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(arguments.end));
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(
      const RunParts run,
      OpenRun(options, query, arguments.estimate ? RunEngines::kLocal : RunEngines::kConfigured,
              clock, {}));
  const ExecutionContext context = run.Context(clock, {});
  std::vector<ViewEstimate> estimates;
  if (arguments.estimate) {
    BANQUET_ASSIGN_OR_RETURN(estimates, EstimateTasks(options, run, clock));
  }
  Status error;  // The worst view's.
  auto views = Json::array();
  for (size_t i = 0; i < run.tasks.size(); ++i) {
    const SelectedTask& selected = run.tasks[i];
    const ViewEstimate* estimate = arguments.estimate ? &estimates[i] : nullptr;
    Result<PlannedTask> planned =
        selected.refusal.ok()
            ? run.engines->Of(selected.task.view.name).Plan(context, selected.task)
            : Result<PlannedTask>(selected.refusal);
    if (planned.ok() && estimate != nullptr && !estimate->error.ok()) planned = estimate->error;
    if (!planned.ok()) {
      if (ExitCodeOf(planned.status()) > ExitCodeOf(error))
        error = Annotate(planned.status(), selected.task.view.name);
      std::fprintf(stderr, "banquet: %s: %s\n", selected.task.view.name.c_str(),
                   MessageOf(planned.status()).c_str());
    }
    if (options.json) {
      views.push_back(JsonOf(selected, planned, estimate));
    } else if (planned.ok()) {
      PrintPlanned(selected, *planned, estimate);
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
  plan->add_flag("--estimate", arguments->estimate,
                 "Read the source too, and count what each store would be given at most");
  plan->footer(
      "--estimate tells entities and bytes, of DynamoDB also write units and the time that they "
      "take; rows that a\nstore holds already, or newer ones, are counted too.\n"
      "Example:\n  banquet plan 2026-01-01 2026-02-01 -v driver_hourly_stats");
  plan->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) {
      const Result<int> exit_code = RunPlan(options, *arguments);
      return exit_code.ok() ? *exit_code : ReportFailure(options, exit_code.status());
    };
  });
}

}  // namespace banquet
