#include "banquet/engine/spark/spark_compute_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "banquet/engine/group_load.h"
#include "banquet/engine/spark/spark_application.h"
#include "banquet/engine/spark/spark_plan.h"
#include "banquet/engine/staged_groups.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

constexpr char kSinkMemory[] = "96MiB";  // It streams, and stands beside an executor.

// The files that Spark is to read, as its file systems name them; empty: a table or a query.
Result<std::string> SourcePath(const DataSource& source, const RepoConfig& config,
                               const SparkSettings& settings) {
  if (!source.s3_endpoint_override.empty()) {
    return UserError(
        "The data source has an s3_endpoint_override, which Spark takes from spark_conf "
        "(spark.hadoop.fs.s3a.endpoint): {}",
        source.name);
  }
  // Feast hands a SparkSource's path to Spark as it is.
  if (source.type == SourceType::kSpark) return source.uri;
  if (source.uri.find("://") != std::string::npos) return settings.UriFor(source.uri);
  return settings.UriFor(
      (std::filesystem::path(config.repo_path) / source.uri).lexically_normal().string());
}

// Those with something in them.
std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

class SparkComputeEngine final : public ComputeEngine {
 public:
  SparkComputeEngine(SparkSettings settings, std::unique_ptr<StagingArea> staging)
      : settings_(std::move(settings)), staging_(std::move(staging)) {}
  ~SparkComputeEngine() override { JoinAll(); }

  EngineReach reach() const override {
    return {.reads = "file sources and SparkSource",
            .sources = {SourceType::kFile, SourceType::kSpark},
            .transformations = {"spark_sql", "sql"}};
  }

  Result<PlannedTask> Plan(const ExecutionContext& context,
                           const MaterializationTask& task) override {
    BANQUET_ASSIGN_OR_RETURN(const TaskGroup group, MakeTaskGroup(context, task));
    BANQUET_RETURN_NOT_OK(CheckGroup(context, group));
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan, SparkPlan(group));
    PlannedTask planned{.plan = plan.ToString(), .scan = {}};
    planned.scan.pushed_down.push_back(
        fmt::format("all but the writing, to Spark at {}", settings_.master()));
    return planned;
  }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    BANQUET_RETURN_NOT_OK(CheckGroup(context, group));
    if (staging_ == nullptr) return WriteByExecutors(context, group, jobs);
    return staged_.Run(
        context, group, jobs, staging_.get(), &load_,
        [&](const StagingFolder& folder) { return Stage(context, group, jobs, folder); });
  }

  void GroupDone(const ExecutionContext& context, const Jobs& jobs, bool is_recorded) override {
    staged_.Done(context, jobs, is_recorded);
  }

 private:
  Status CheckGroup(const ExecutionContext& context, const TaskGroup& group) const {
    const MaterializationTask& task = group.tasks.front();
    if (!task.only_latest)
      return UserError("The Spark engine writes the newest row of each key alone");
    if (staging_ != nullptr) return Status::OK();
    if (context.config->options.write_rate_max > 0 && settings_.partitions == 0) {
      return UserError(
          "banquet.write_rate_max is divided between the tasks that write; set "
          "batch_engine.partitions: view {}",
          task.view.name);
    }
    for (StoreLanes* lanes : context.online_stores) {
      if (lanes->store().type() != "sqlite" || settings_.is_local()) continue;
      return UserError(
          "SQLite cannot be written by the executors of a cluster; use batch_engine.write: "
          "staging, spark.master: local[*] or the local engine: view {}",
          task.view.name);
    }
    return Status::OK();
  }

  // What Spark reads is not sorted by us: stores take rows as they come.
  static Result<ExecutionPlan> SparkPlan(const TaskGroup& group) {
    return FeatureBuilder({}, WriteOrder::kAny).Build(group);
  }

  // What each sink is told: the same configuration, a small memory, its part of the rate.
  SinkFrame FrameOf(const ExecutionContext& context, const TaskGroup& group) const {
    const RepoConfig& config = *context.config;
    SinkFrame frame{.feature_store_yaml = config.yaml_text,
                    .repo_path = settings_.is_local() ? config.repo_path : "/",
                    .overrides = config.overrides,
                    .views = group.columns};
    const auto set = [&](const std::string& name, const std::string& value) {
      std::erase_if(frame.overrides, [&](const auto& one) { return one.first == name; });
      frame.overrides.emplace_back(name, value);
    };
    set("memory_limit", kSinkMemory);
    if (config.options.write_rate_max > 0) {
      set("write_rate_max",
          std::to_string(std::max<int64_t>(
              1, config.options.write_rate_max / std::max(1, settings_.partitions))));
    }
    return frame;
  }

  Status WriteByExecutors(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) {
    std::vector<std::vector<StoreTally*>> tallies;  // Of each store, then of each view.
    for (StoreLanes* lanes : context.online_stores) {
      std::vector<StoreTally*>& of_store = tallies.emplace_back();
      for (const auto& job : jobs)
        of_store.push_back(&job->AddStore(lanes->name(), std::string(lanes->store().type())));
    }
    for (StoreLanes* lanes : context.online_stores)
      BANQUET_RETURN_NOT_OK(lanes->store().Prepare(group.columns));
    BANQUET_ASSIGN_OR_RETURN(
        const SparkResult result, Do(context, group, jobs, [&](const SinkRuntime& runtime) {
          return SparkTarget{.frame = FrameOf(context, group), .runtime = runtime, .stage_uri = {}};
        }));
    BANQUET_RETURN_NOT_OK(TakeCounts(result, result.written.rows, &jobs.front()->fates()));
    TakeTallies(result, context, group, tallies);
    return Status::OK();
  }

  Result<StagedManifest> Stage(const ExecutionContext& context, const TaskGroup& group,
                               const Jobs& jobs, const StagingFolder& folder) {
    BANQUET_ASSIGN_OR_RETURN(
        const SparkResult result, Do(context, group, jobs, [&](const SinkRuntime&) {
          return SparkTarget{
              .frame = {}, .runtime = {}, .stage_uri = settings_.UriFor(folder.uri())};
        }));
    BANQUET_ASSIGN_OR_RETURN(std::vector<StagedFile> files, folder.TakeParquetFiles());
    StagedManifest manifest = ManifestOf(
        group, folder, !group.tasks.front().view.batch_source->created_timestamp_column.empty(),
        std::move(files));
    if (manifest.rows() != result.staged) {
      return DataError("The Spark job staged {} rows, the files hold {}: {}", result.staged,
                       manifest.rows(), folder.uri());
    }
    BANQUET_RETURN_NOT_OK(TakeCounts(result, result.staged, &jobs.front()->fates()));
    return manifest;
  }

  // Has Spark do the plan of a group, in an application of its own or in that of all.
  template <typename MakeTarget>
  Result<SparkResult> Do(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
                         const MakeTarget& make_target) {
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan, SparkPlan(group));
    BANQUET_ASSIGN_OR_RETURN(const std::string source,
                             SourcePath(plan.scan().request.source, *context.config, settings_));
    const std::string& run_id = jobs.front()->id();
    BANQUET_ASSIGN_OR_RETURN(const auto application, ApplicationFor(context, group, run_id));
    BANQUET_ASSIGN_OR_RETURN(
        const std::string text,
        application->Do(SparkPlanToJson(plan, make_target(application->runtime()), source, run_id),
                        [&](const std::string& address) {
                          for (const auto& job : jobs) job->ShowAt(address);
                        }));
    BANQUET_ASSIGN_OR_RETURN(SparkResult result, SparkResultFromJson(text, run_id));
    if (result.error.empty()) return result;
    return SparkFailure(result.condition, LinesOf(result.error), application->KeepLog());
  }

  Result<std::shared_ptr<SparkApplication>> ApplicationFor(const ExecutionContext& context,
                                                           const TaskGroup& group,
                                                           const std::string& run_id) {
    const std::string& project = group.tasks.front().project;
    const bool ships_runtime = staging_ == nullptr;
    if (!settings_.shares_application) {
      return SparkApplication::Start(
          settings_, fmt::format("banquet {} {}", project, group.tasks.front().view.name), run_id,
          ships_runtime, context.stop);
    }
    const std::lock_guard lock(mutex_);
    if (application_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(application_,
                               SparkApplication::Start(settings_, "banquet " + project, run_id,
                                                       ships_runtime, context.stop));
    }
    return application_;
  }

  static Status TakeCounts(const SparkResult& result, int64_t winners, RowFates* fates) {
    fates->read = result.read;
    fates->total = result.read;
    fates->null_time = result.null_time;
    fates->null_key = result.null_key;
    fates->outside_window = result.outside_window;
    fates->winners = winners;
    fates->duplicates =
        result.read - result.null_time - result.null_key - result.outside_window - winners;
    if (fates->duplicates >= 0) return Status::OK();
    return Bug("The Spark job read {} rows and gives {}", result.read, winners);
  }

  static void TakeTallies(const SparkResult& result, const ExecutionContext& context,
                          const TaskGroup& group,
                          const std::vector<std::vector<StoreTally*>>& tallies) {
    for (const SinkCounts& counts : result.written.counts) {
      for (size_t store = 0; store < tallies.size(); ++store) {
        if (context.online_stores[store]->name() != counts.store) continue;
        for (size_t view = 0; view < group.columns.size(); ++view) {
          if (group.columns[view].view != counts.view) continue;
          StoreTally& tally = *tallies[store][view];
          tally.written += counts.written;
          tally.stale += counts.stale;
          tally.unchanged += counts.unchanged;
          tally.bytes += counts.bytes;
        }
      }
    }
  }

  const SparkSettings settings_;
  const std::unique_ptr<StagingArea> staging_;  // nullptr: executors write.
  GroupLoad load_;
  StagedGroups staged_;
  std::mutex mutex_;
  std::shared_ptr<SparkApplication> application_;  // Of all groups, where they share one.
};

}  // namespace

std::unique_ptr<ComputeEngine> MakeSparkComputeEngine(SparkSettings settings,
                                                      std::unique_ptr<StagingArea> staging) {
  return std::make_unique<SparkComputeEngine>(std::move(settings), std::move(staging));
}

}  // namespace banquet
