#include "banquet/engine/task_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "banquet/base/option_table.h"
#include "banquet/base/time_text.h"
#include "banquet/engine/view_columns_of.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kFirstWindow_us =
    int64_t{52} * 7 * 24 * 3600 * kMicrosPerSecond;  // What Feast calls 1 year.

// "v2", "version2", case-insensitive: 2. "latest" and empty: nothing (feast-compat 1.5).
Result<std::optional<int>> ParseVersion(const std::string& text) {
  std::string word = text;
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word.empty() || word == "latest") return std::optional<int>();
  std::string_view digits = word;
  if (digits.starts_with("version")) {
    digits.remove_prefix(7);
  } else if (digits.starts_with("v")) {
    digits.remove_prefix(1);
  }
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.size() == word.size() || error != std::errc() ||
      end != digits.data() + digits.size() || number < 0) {
    return UserError("Not a version; write latest, v2 or version2: {}", text);
  }
  return std::optional<int>(number);
}

bool IsOfflineOnly(const FeatureView& view) { return !view.online && view.offline; }

std::vector<const FeatureView*> AllViews(const RegistryContents& contents,
                                         const std::string& project) {
  std::vector<const FeatureView*> views;
  const auto add = [&](auto&& wanted) {
    for (const FeatureView& view : contents.feature_views) {
      if (view.project == project && !view.disabled && wanted(view)) views.push_back(&view);
    }
  };
  add([](const FeatureView& v) {
    return v.online && (v.kind == ViewKind::kPlain || v.kind == ViewKind::kBatch);
  });
  add([](const FeatureView& v) { return v.online && v.kind == ViewKind::kStream; });
  add([](const FeatureView& v) {
    return v.write_to_online_store && v.kind == ViewKind::kOnDemand;
  });
  return views;
}

Result<const FeatureView*> NamedView(const RegistryContents& contents, const std::string& project,
                                     const std::string& name) {
  if (name.empty())
    return UserError("The name of a feature view is empty; without --views all are materialized");
  const FeatureView* view = contents.FindView(project, name);
  if (view == nullptr) {
    std::vector<std::string> names;
    for (const FeatureView& known : contents.feature_views) {
      if (known.project == project) names.push_back(known.name);
    }
    return UserError("Feature view {} does not exist in project {}.{}", name, project,
                     DidYouMean(name, names));
  }
  if (view->kind == ViewKind::kLabel)
    return UserError("Label views are never materialized: {}", name);
  if (view->disabled)
    return UserError("The feature view is disabled; enable it to materialize it: {}", name);
  if (view->kind == ViewKind::kOnDemand) {
    if (!view->write_to_online_store) {
      return UserError(
          "The on-demand feature view has no write_to_online_store; there is nothing to "
          "materialize: {}",
          name);
    }
    return view;
  }
  if (!view->online && !IsOfflineOnly(*view)) {
    return UserError("The feature view has online=False; there is nothing to materialize: {}",
                     name);
  }
  return view;
}

// The definition and storage name to run: the active view, or a version of it.
Status ResolveVersion(const RegistryContents& contents, const RepoConfig& config,
                      const TaskQuery& query, MaterializationTask* task) {
  task->storage_name = StorageNameOf(config, task->view.name, task->view.current_version_number);
  if (!query.version.has_value()) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(std::optional<int> number, ParseVersion(*query.version));
  if (!number.has_value() || *number == task->view.current_version_number) return Status::OK();
  for (const FeatureViewVersion& version : contents.versions) {
    if (version.view != task->view.name || version.project != task->project ||
        version.number != *number)
      continue;
    // What the snapshot says of columns and source counts. The registry's intervals are the active
    // view's: they say nothing of this version's rows, and this version's run says nothing of them.
    FeatureView definition = version.definition;
    definition.project = task->project;
    definition.materialization_intervals.clear();
    definition.state = task->view.state;
    definition.current_version_number = *number;
    task->view = std::move(definition);
    task->records_interval = false;
    task->storage_name = StorageNameOf(config, version.view, *number);
    return Status::OK();
  }
  return UserError("The registry holds no version {} of feature view {}", *query.version,
                   task->view.name);
}

// Feast: from the latest recorded end; else now - ttl; else 52 weeks before now
// (feast-compat 3.3).
int64_t IncrementalStart(const FeatureView& view, int64_t now_us) {
  if (!view.materialization_intervals.empty()) {
    return std::ranges::max(view.materialization_intervals, {}, &TimeWindow::end_us).end_us;
  }
  return now_us - (view.ttl_us > 0 ? view.ttl_us : kFirstWindow_us);
}

Status CheckIncrementalWindow(const MaterializationTask& task, int64_t now_us) {
  const auto [start_us, end_us] = task.window;
  if (start_us <= end_us) return Status::OK();
  const std::string way_back =
      start_us <= now_us
          ? ""
          : fmt::format(
                ". Its recorded intervals end in the future: `feast delete {}`, then `feast "
                "apply`, forgets them, and its online rows with them",
                task.view.name);
  return UserError(
      "The window is reversed: its start {} is greater than its end {}; give a later END_TS, or "
      "materialize a window of your own{}",
      FormatInstant(start_us), FormatInstant(end_us), way_back);
}

void SetIncrementalWindow(const TaskQuery& query, int64_t now_us, SelectedTask* selected) {
  const FeatureView& view = selected->task.view;
  if (view.materialization_intervals.empty() && view.ttl_us <= 0) {
    selected->notes.push_back(
        "Since the ttl is 0 for feature view " + view.name +
        ", the start date will be set to 52 weeks (Feast's \"1 year\") before the "
        "current time.");
  }
  selected->task.incremental = true;
  selected->task.window = {IncrementalStart(view, now_us), query.end_us};
  selected->refusal = CheckIncrementalWindow(selected->task, now_us);
}

// A block of options for a view that does not exist is a slip of the pen.
Status CheckViewOptions(const RegistryContents& contents, const RepoConfig& config) {
  std::vector<std::string> names;
  for (const FeatureView& view : contents.feature_views) {
    if (view.project == config.project) names.push_back(view.name);
  }
  for (const auto& [name, options] : config.options.views) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return UserError("{}: the project has no such feature view.{}", options.place,
                     DidYouMean(name, names));
  }
  return Status::OK();
}

Status CheckQuery(const RepoConfig& config, const TaskQuery& query) {
  if (query.start_us.has_value() && *query.start_us > query.end_us) {
    return UserError("The given start_date {} is greater than the given end_date {}.",
                     FormatInstant(*query.start_us), FormatInstant(query.end_us));
  }
  if (!query.version.has_value()) return Status::OK();
  if (!config.registry.online_feature_view_versioning) {
    return UserError(
        "Version-aware materialization requires 'enable_online_feature_view_versioning: true' "
        "under 'registry' in {}.",
        config.yaml_path);
  }
  if (query.views.size() != 1)
    return UserError("--version needs exactly one --views: {} given", query.views.size());
  return Status::OK();
}

}  // namespace

Result<std::vector<SelectedTask>> SelectTasks(const RegistryContents& contents,
                                              const RepoConfig& config, const TaskQuery& query,
                                              const ReachOf& reach_of, int64_t now_us) {
  BANQUET_RETURN_NOT_OK(CheckQuery(config, query));
  BANQUET_RETURN_NOT_OK(CheckViewOptions(contents, config));
  std::vector<const FeatureView*> views;
  if (query.views.empty()) {
    views = AllViews(contents, config.project);
  } else {
    for (const std::string& name : query.views) {
      BANQUET_ASSIGN_OR_RETURN(const FeatureView* view, NamedView(contents, config.project, name));
      if (std::ranges::find(views, view) == views.end()) views.push_back(view);
    }
  }
  std::vector<SelectedTask> selected;
  for (const FeatureView* view : views) {
    SelectedTask& entry = selected.emplace_back();
    entry.task.project = config.project;
    entry.task.view = *view;
    entry.task.disable_event_timestamp = query.disable_event_timestamp;
    BANQUET_RETURN_NOT_OK(ResolveVersion(contents, config, query, &entry.task));
    if (!entry.task.records_interval) {
      entry.notes.push_back(fmt::format(
          "{}: {} is not the active version of the view (v{}): its rows are written as {}, and no "
          "interval is recorded.",
          view->name, *query.version, view->current_version_number, entry.task.storage_name));
    }
    if (query.start_us.has_value()) {
      entry.task.window = {*query.start_us, query.end_us};
    } else {
      SetIncrementalWindow(query, now_us, &entry);
    }
    if (const auto reason = FeatureBuilder::WhyUnsupported(entry.task.view, reach_of(view->name));
        reason.has_value()) {
      entry.refusal = UserError(
          "Not supported: {}. Set banquet.unsupported to skip, or to a list with this view",
          *reason);
      entry.unsupported = true;
    }
  }
  return selected;
}

Result<bool> FollowRecordedIntervals(const RegistryContents& contents, int64_t now_us,
                                     MaterializationTask* task) {
  const FeatureView* view = contents.FindView(task->project, task->view.name);
  if (view == nullptr)
    return UserError("Feature view {} is no longer in the registry", task->view.name);
  if (view->materialization_intervals == task->view.materialization_intervals) return false;
  task->view.materialization_intervals = view->materialization_intervals;
  task->window.start_us = IncrementalStart(*view, now_us);
  BANQUET_RETURN_NOT_OK(CheckIncrementalWindow(*task, now_us));
  return true;
}

std::optional<TimeWindow> RecordedSpan(const FeatureView& view) {
  const std::vector<TimeWindow>& intervals = view.materialization_intervals;
  if (intervals.empty()) return std::nullopt;
  return TimeWindow{.start_us = std::ranges::min(intervals, {}, &TimeWindow::start_us).start_us,
                    .end_us = std::ranges::max(intervals, {}, &TimeWindow::end_us).end_us};
}

bool MaySkip(const UnsupportedRule& rule, const SelectedTask& selected) {
  return selected.unsupported &&
         (rule.skip_all || std::ranges::count(rule.skip_views, selected.task.view.name) > 0);
}

std::vector<std::string> PrecomputedServices(const RegistryContents& contents,
                                             const std::string& project,
                                             const std::vector<SelectedTask>& tasks) {
  std::vector<std::string> names;
  for (const FeatureService& service : contents.feature_services) {
    if (!service.precompute_online || service.project != project) continue;
    const bool touched =
        std::ranges::any_of(service.projections, [&](const FeatureViewProjection& projection) {
          return std::ranges::any_of(
              tasks, [&](const SelectedTask& t) { return t.task.view.name == projection.view; });
        });
    if (touched) names.push_back(service.name);
  }
  return names;
}

}  // namespace banquet
