// `banquet load`: the second half of a run that staged its rows.

#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "banquet/cli/command.h"
#include "banquet/cli/reported_run.h"
#include "banquet/cli/run_parts.h"
#include "banquet/client/objects/object_store.h"
#include "banquet/engine/staged_source.h"
#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

struct LoadArguments {
  std::string manifest;
  bool keep = false;
};

// The registry with the staged files in place of the views' own sources.
Result<std::shared_ptr<const RegistryContents>> WithStagedSources(const Repository& repository,
                                                                  const FoundManifest& found) {
  const StagedManifest& manifest = found.manifest;
  if (manifest.project != repository.config.project) {
    return UserError("The rows are staged for project {}, feature_store.yaml names {}",
                     manifest.project, repository.config.project);
  }
  auto contents = std::make_shared<RegistryContents>(*repository.contents);
  for (const StagedView& staged : manifest.views) {
    bool is_there = false;
    for (FeatureView& view : contents->feature_views) {
      if (view.project != manifest.project || view.name != staged.view) continue;
      ReadStaged(manifest, found.folder.uri(), &view);
      is_there = true;
    }
    for (FeatureViewVersion& version : contents->versions) {
      if (version.project == manifest.project && version.view == staged.view)
        ReadStaged(manifest, found.folder.uri(), &version.definition);
    }
    if (!is_there)
      return UserError("The view of the staged rows is no longer there: {}", staged.view);
  }
  return contents;
}

Result<RunReport> RunLoad(const GlobalOptions& options, const LoadArguments& arguments,
                          std::chrono::steady_clock::time_point started) {
  Clock& clock = SystemClock();
  std::stop_source stop;
  RunParts run;
  BANQUET_ASSIGN_OR_RETURN(run.repository, OpenRepository(options));
  const RepoConfig& config = run.repository.config;
  std::string manifest_uri = arguments.manifest;
  if (!objects::IsObjectUri(manifest_uri)) {
    std::error_code ignored;
    manifest_uri = std::filesystem::absolute(manifest_uri, ignored).string();
  }
  BANQUET_ASSIGN_OR_RETURN(
      FoundManifest found,
      ReadManifest(MakeStagingObjects(config, stop.get_token(), clock), manifest_uri));
  const StagedManifest& manifest = found.manifest;
  BANQUET_RETURN_NOT_OK(found.folder.CheckFiles(manifest));
  BANQUET_ASSIGN_OR_RETURN(run.repository.contents, WithStagedSources(run.repository, found));
  TaskQuery query{.views = {},
                  .version = {},
                  .start_us = manifest.window.start_us,
                  .end_us = manifest.window.end_us};
  for (const StagedView& view : manifest.views) {
    query.views.push_back(view.view);
    if (!view.version.empty()) query.version = view.version;
  }
  run.engines = MakeStagedEngines();
  BANQUET_ASSIGN_OR_RETURN(run.tasks, SelectTasks(*run.repository.contents, config, query,
                                                  run.engines->reach(), clock.NowUs()));
  for (size_t i = 0; i < run.tasks.size(); ++i) {
    MaterializationTask& task = run.tasks[i].task;
    const auto staged = std::ranges::find(manifest.views, task.view.name, &StagedView::view);
    if (staged == manifest.views.end() || staged->storage_name != task.storage_name) {
      return UserError("View {} is written as {} now, and no longer as its rows were staged for",
                       task.view.name, task.storage_name);
    }
    task.records_interval = task.records_interval && manifest.records_interval;
  }
  run.expected_winners = manifest.rows();
  BANQUET_ASSIGN_OR_RETURN(run.offline_store, MakeStagedStore(config));
  BANQUET_ASSIGN_OR_RETURN(run.online_stores, MakeOnlineStores(config, stop.get_token(), clock));
  BANQUET_ASSIGN_OR_RETURN(RunReport report, RunTasks(options, &run, {}, clock, &stop, started));
  const bool is_loaded = std::ranges::all_of(
      report.views, [](const ViewReport& view) { return view.status == JobStatus::kSucceeded; });
  if (is_loaded && report.exit_code == 0 && !arguments.keep && !config.options.keep_staged) {
    const Status removed = found.folder.RemoveStaged(manifest);
    if (!removed.ok())
      report.warnings.push_back("Staged rows could not be removed: " + MessageOf(removed));
  }
  return report;
}

}  // namespace

void AddLoadCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<LoadArguments>();
  CLI::App* command =
      app.add_subcommand("load", "Write rows that a run has staged to the online store");
  command
      ->add_option("MANIFEST", arguments->manifest,
                   "_manifest.json of the run's folder: a file, s3:// or gs://")
      ->required();
  command->add_flag("--keep", arguments->keep, "Leave the staged rows where they are");
  command->footer(
      "Repeats the load alone of a run with banquet.staging_location that failed after its rows "
      "were staged; the\nsource is not read again. The staged rows are removed once they are "
      "loaded.\nExample:\n  banquet load s3://lake/staging/…/_manifest.json");
  command->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) {
      return ReportedRun(options,
                         [&](auto started) { return RunLoad(options, *arguments, started); });
    };
  });
}

}  // namespace banquet
