// `banquet run-tasks`: materializes what another program hands over, which records it itself
// (docs/formats/run_tasks.md).

#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/cli/command.h"
#include "banquet/cli/job_wait.h"
#include "banquet/cli/reported_run.h"
#include "banquet/cli/run_parts.h"
#include "banquet/cli/stdin_frame.h"
#include "banquet/engine/run_tasks/given_registry.h"
#include "banquet/engine/run_tasks/tasks_frame.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

// A store that we lack is no view's fault, but every view's refusal.
void RefuseAll(const Status& reason, std::vector<SelectedTask>* tasks) {
  for (SelectedTask& selected : *tasks) selected.refusal = reason;
}

// What will be run and what will not, before anything is. `reach_of` is absent where nothing is.
void PrintPlan(const std::vector<SelectedTask>& tasks, const ReachOf& reach_of) {
  auto list = Json::array();
  for (const SelectedTask& selected : tasks) {
    const FeatureView& view = selected.task.view;
    list.push_back(
        {{"name", view.name},
         {"refused", selected.refusal.ok() ? Json() : Json(MessageOf(selected.refusal))},
         {"if_transformed", reach_of && LacksTransformationAlone(view, reach_of(view.name))}});
  }
  const Json line = {{"event", "plan"}, {"tasks", list}};
  std::printf("%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

Result<RunReport> Run(const GlobalOptions& options, std::chrono::steady_clock::time_point started) {
  BANQUET_ASSIGN_OR_RETURN(const std::string text, ReadStdinFrame("run-tasks"));
  BANQUET_ASSIGN_OR_RETURN(const TasksFrame frame, TasksFrameFromJson(text));
  Clock& clock = SystemClock();
  std::stop_source stop;
  RunParts run;
  BANQUET_ASSIGN_OR_RETURN(run.repository.config, frame.Config());
  const RepoConfig& config = run.repository.config;
  if (!options.quiet) TellWarnings(config.warnings);
  BANQUET_ASSIGN_OR_RETURN(RegistryContents contents, frame.Contents());
  run.repository.contents = std::make_shared<const RegistryContents>(std::move(contents));
  run.repository.registry = std::make_unique<GivenRegistry>(run.repository.contents);
  BANQUET_ASSIGN_OR_RETURN(run.engines, MakeEngines(config, stop.get_token(), clock));
  BANQUET_ASSIGN_OR_RETURN(run.tasks, SelectGivenTasks(frame, config, run.engines->reach()));
  const Status products = CheckProducts(config);
  if (!products.ok()) RefuseAll(products, &run.tasks);
  PrintPlan(run.tasks, products.ok() ? run.engines->reach() : ReachOf());
  std::erase_if(run.tasks, [](const SelectedTask& selected) { return !selected.refusal.ok(); });
  if (run.tasks.empty()) return MakeRunReport({}, config.warnings, Status::OK(), 0, 0);
  BANQUET_RETURN_NOT_OK(OpenStores(&run, clock, stop.get_token()));
  return RunTasks(options, &run, {}, clock, &stop, started);
}

}  // namespace

void AddRunTasksCommand(CLI::App& app, CommandBody* body) {
  CLI::App* command = app.add_subcommand(
      "run-tasks", "Materialize what standard input hands over and record nothing, for programs");
  command->footer(
      "Reads a frame (4 bytes of length, little-endian; JSON: configuration, entities, views and "
      "windows), prints events,\none line of JSON each, and at last the report of materialize "
      "--json. Locks no view and records nothing.\nExample, as Feast's batch engine runs it:\n"
      "  banquet run-tasks < frame");
  command->callback([body] {
    *body = [](GlobalOptions options) {
      DieWithParent();
      options.json = true;
      options.progress = kProgressEvents;
      return ReportedRun(options, [&](auto started) { return Run(options, started); });
    };
  });
}

}  // namespace banquet
