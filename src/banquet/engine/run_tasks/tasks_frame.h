#pragma once
// What a program that keeps its own registry hands over to be materialized
// (docs/formats/run_tasks.md).

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/engine/task_selection.h"
#include "banquet/model/registry_contents.h"

namespace banquet {

struct GivenTask {
  std::string project;
  std::string kind;                       // "feature_view" or "stream_feature_view".
  std::string view;                       // Its protobuf.
  std::vector<std::string> aggregations;  // Protobufs, where the view's own has no room for them.
  TimeWindow window;
  bool only_latest = true;
  bool disable_event_timestamp = false;
  std::optional<int> version;  // Whose rows they are; absent: of the view's own number.
};

struct TasksFrame {
  std::string feature_store_yaml;  // Resolved: YAML or JSON. It may hold secrets.
  std::string repo_path;
  std::vector<std::pair<std::string, std::string>> overrides;  // As on the command line.
  std::vector<std::string> entities;                           // Protobufs.
  std::vector<GivenTask> tasks;

  // The configuration as every command reads it.
  Result<RepoConfig> Config() const;
  // The entities, of each project that a task names. A damaged protobuf is a data error.
  Result<RegistryContents> Contents() const;
};

// Text that is none, or of another format, is a data error that does not repeat it.
Result<TasksFrame> TasksFrameFromJson(std::string_view text);

// Whether the view's own function is all that the engine lacks, so that its rows, transformed by
// who sent the task, can be materialized.
bool LacksTransformationAlone(const FeatureView& view, const EngineReach& reach);

// One for each task of the frame, in order; none records its interval. What this version cannot do
// is that view's refusal. A damaged protobuf is a data error, another project than the
// configuration's a user error.
Result<std::vector<SelectedTask>> SelectGivenTasks(const TasksFrame& frame,
                                                   const RepoConfig& config,
                                                   const ReachOf& reach_of);

}  // namespace banquet
