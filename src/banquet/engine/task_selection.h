#pragma once
// Which views a command means, and over which window: the rules of Feast's FeatureStore
// (feast-compat 3.2, 3.3).

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/model/materialization_task.h"
#include "banquet/model/registry_contents.h"
#include "banquet/plan/engine_reach.h"

namespace banquet {

struct TaskQuery {
  std::vector<std::string> views;      // Empty: all.
  std::optional<std::string> version;  // --version; needs exactly one view.
  std::optional<int64_t> start_us;     // Absent: incremental, each view from where it stopped.
  int64_t end_us = 0;
  bool disable_event_timestamp = false;
};

struct SelectedTask {
  MaterializationTask task;
  // Not OK: this view alone is refused (a reversed incremental window, something this version
  // cannot do); the others run.
  Status refusal;
  bool unsupported = false;        // The refusal is of the kind that banquet.unsupported may skip.
  std::vector<std::string> notes;  // For the user, such as Feast's of the default of 52 weeks.
};

// What the engine of a view can materialize.
using ReachOf = std::function<EngineReach(const std::string& view)>;

// In Feast's order. Errors (unknown view, disabled, START > END, …) are of the whole command,
// before any work.
Result<std::vector<SelectedTask>> SelectTasks(const RegistryContents& contents,
                                              const RepoConfig& config, const TaskQuery& query,
                                              const ReachOf& reach_of, int64_t now_us);

// For an incremental task whose view is locked: takes the intervals that the registry holds by
// then, and where they are others than at the selection, the window that follows from them. True
// if so. A user error for a view that vanished, or whose intervals end after the task.
Result<bool> FollowRecordedIntervals(const RegistryContents& contents, int64_t now_us,
                                     MaterializationTask* task);

// From the earliest recorded start to the latest recorded end; nullopt: nothing is recorded.
std::optional<TimeWindow> RecordedSpan(const FeatureView& view);

// Whether banquet.unsupported lets the others succeed without this one.
bool MaySkip(const UnsupportedRule& rule, const SelectedTask& selected);

// Feature services with precompute_online that touch one of these views: this version does not
// recompute their vectors.
std::vector<std::string> PrecomputedServices(const RegistryContents& contents,
                                             const std::string& project,
                                             const std::vector<SelectedTask>& tasks);

}  // namespace banquet
