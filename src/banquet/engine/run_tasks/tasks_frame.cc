#include "banquet/engine/run_tasks/tasks_frame.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "banquet/base/base64.h"
#include "banquet/engine/view_columns_of.h"
#include "banquet/plan/feature_builder.h"
#include "banquet/registry/decode_registry.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Status Damaged() { return DataError("The frame of `banquet run-tasks` is damaged"); }

Result<std::string> BytesOf(const Json& text) {
  std::optional<std::string> bytes = DecodeBase64(text.get<std::string>());
  if (!bytes.has_value()) return Damaged();
  return *std::move(bytes);
}

Result<std::vector<std::string>> BytesOfAll(const Json& list) {
  std::vector<std::string> all;
  for (const Json& one : list) {
    BANQUET_ASSIGN_OR_RETURN(all.emplace_back(), BytesOf(one));
  }
  return all;
}

Result<GivenTask> TaskFromJson(const Json& json) {
  GivenTask task{.project = json.at("project"),
                 .kind = json.at("kind"),
                 .view = {},
                 .aggregations = {},
                 .window = {.start_us = json.at("start_us").get<int64_t>(),
                            .end_us = json.at("end_us").get<int64_t>()},
                 .only_latest = json.at("only_latest"),
                 .disable_event_timestamp = json.at("disable_event_timestamp"),
                 .version = {}};
  BANQUET_ASSIGN_OR_RETURN(task.view, BytesOf(json.at("view")));
  BANQUET_ASSIGN_OR_RETURN(task.aggregations, BytesOfAll(json.at("aggregations")));
  if (!json.at("version").is_null()) task.version = json.at("version").get<int>();
  return task;
}

Result<TasksFrame> FrameFromJson(const Json& json) {
  TasksFrame frame{.feature_store_yaml = json.at("feature_store_yaml"),
                   .repo_path = json.at("repo_path"),
                   .overrides = {},
                   .entities = {},
                   .tasks = {}};
  for (const Json& one : json.at("overrides")) frame.overrides.emplace_back(one.at(0), one.at(1));
  BANQUET_ASSIGN_OR_RETURN(frame.entities, BytesOfAll(json.at("entities")));
  for (const Json& one : json.at("tasks")) {
    BANQUET_ASSIGN_OR_RETURN(frame.tasks.emplace_back(), TaskFromJson(one));
  }
  return frame;
}

Result<FeatureView> ViewOf(const GivenTask& given) {
  BANQUET_ASSIGN_OR_RETURN(std::optional<FeatureView> view,
                           DecodeSerializedView(given.kind, given.view));
  if (!view.has_value()) return DataError("A task's view is of an unknown kind: {}", given.kind);
  for (const std::string& bytes : given.aggregations) {
    BANQUET_ASSIGN_OR_RETURN(view->aggregations.emplace_back(), DecodeSerializedAggregation(bytes));
  }
  view->project = given.project;  // Feast's SDK leaves it empty.
  return *std::move(view);
}

}  // namespace

Result<RepoConfig> TasksFrame::Config() const {
  return LoadRepoConfig({.chdir = repo_path,
                         .yaml_file = {},
                         .given_text = feature_store_yaml,
                         .overrides = overrides,
                         .environment = {}});
}

Result<RegistryContents> TasksFrame::Contents() const {
  std::set<std::string> projects;
  for (const GivenTask& task : tasks) projects.insert(task.project);
  RegistryContents contents;
  for (const std::string& bytes : entities) {
    BANQUET_ASSIGN_OR_RETURN(Entity entity, DecodeSerializedEntity(bytes));
    for (const std::string& project : projects) {
      entity.project = project;
      contents.entities.push_back(entity);
    }
  }
  return contents;
}

Result<TasksFrame> TasksFrameFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("banquet_tasks"))
    return DataError("Standard input does not begin with a frame of `banquet run-tasks`");
  if (json["banquet_tasks"] != kFormat) {
    return DataError("The frame is of format {}, this version of banquet reads {}",
                     json["banquet_tasks"].dump(), kFormat);
  }
  try {
    return FrameFromJson(json);
  } catch (const Json::exception&) {
    return Damaged();
  }
}

bool LacksTransformationAlone(const FeatureView& view, const EngineReach& reach) {
  FeatureView transformed = view;
  transformed.has_transformation = false;
  return view.has_transformation && FeatureBuilder::WhyUnsupported(view, reach).has_value() &&
         !FeatureBuilder::WhyUnsupported(transformed, reach).has_value();
}

Result<std::vector<SelectedTask>> SelectGivenTasks(const TasksFrame& frame,
                                                   const RepoConfig& config,
                                                   const ReachOf& reach_of) {
  std::vector<SelectedTask> selected;
  for (const GivenTask& given : frame.tasks) {
    if (given.project != config.project) {
      return UserError("A task is of project {}, the configuration of {}", given.project,
                       config.project);
    }
    SelectedTask& entry = selected.emplace_back();
    MaterializationTask& task = entry.task;
    task.project = given.project;
    BANQUET_ASSIGN_OR_RETURN(task.view, ViewOf(given));
    task.storage_name = StorageNameOf(config, task.view.name,
                                      given.version.value_or(task.view.current_version_number));
    task.window = given.window;
    task.only_latest = given.only_latest;
    task.records_interval = false;
    task.disable_event_timestamp = given.disable_event_timestamp;
    const auto reason = FeatureBuilder::WhyUnsupported(task.view, reach_of(task.view.name));
    if (!reason.has_value()) continue;
    entry.refusal = UserError("Not supported: {}", *reason);
    entry.unsupported = true;
  }
  return selected;
}

}  // namespace banquet
