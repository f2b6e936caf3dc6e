#include "banquet/engine/spark/spark_compute_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "banquet/base/percent_text.h"
#include "banquet/engine/group_load.h"
#include "banquet/engine/spark/spark_application.h"
#include "banquet/engine/spark/spark_failure.h"
#include "banquet/engine/spark/spark_plan.h"
#include "banquet/engine/staged_groups.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

constexpr char kSinkMemory[] = "96MiB";  // It streams, and stands beside an executor.

// The path of a FileSource as a folder of this machine, or its URI.
std::string PlainPath(const std::string& uri, const std::string& repo_path) {
  constexpr std::string_view kFile = "file://";
  if (!uri.starts_with(kFile)) {
    if (uri.find("://") != std::string::npos) return uri;
    return (std::filesystem::path(repo_path) / uri).lexically_normal().string();
  }
  std::string path = PercentDecoded(uri.substr(kFile.size()));
  constexpr std::string_view kHere = "localhost/";
  if (path.starts_with(kHere)) path.erase(0, kHere.size() - 1);
  return path;
}

// The files that Spark is to read, as its file systems name them; empty: a table or a query.
Result<SparkPath> SourcePath(const DataSource& source, const RepoConfig& config,
                             const SparkSettings& settings) {
  if (!source.s3_endpoint_override.empty()) {
    return UserError(
        "The data source has an s3_endpoint_override, which Spark takes from spark_conf "
        "(spark.hadoop.fs.s3a.endpoint): {}",
        source.name);
  }
  // Feast hands a SparkSource's path to Spark as it is.
  if (source.type == SourceType::kSpark) return SparkPath{.uri = source.uri};
  const std::string path = PlainPath(source.uri, config.repo_path);
  // As in offline/parquet: what is there is meant, else it is a pattern.
  const bool has_wildcard = path.find_first_of("*?[") != std::string::npos;
  std::error_code ignored;
  const bool is_literal =
      !has_wildcard || (path.starts_with('/') && std::filesystem::exists(path, ignored));
  if (!is_literal && path.find("**") != std::string::npos) {
    return UserError("Spark knows no ** in a pattern; name the folder, or use the local engine: {}",
                     path);
  }
  return SparkPath{.uri = settings.UriFor(path), .is_literal = is_literal};
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

std::string DoingOf(const SparkNews& news) {
  if (news.address.empty()) return "Spark starts";
  if (news.tasks == 0) return "Spark begins";
  if (news.active == 0 && news.done < news.tasks)
    return fmt::format("Spark: {} of {} tasks done, waiting for executors", news.done, news.tasks);
  return fmt::format("Spark: {} of {} tasks done, {} running", news.done, news.tasks, news.active);
}

class SparkComputeEngine final : public ComputeEngine {
 public:
  SparkComputeEngine(SparkSettings settings, SparkWrite write, std::unique_ptr<StagingArea> area)
      : settings_(std::move(settings)), write_(write), area_(std::move(area)) {}
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
    BANQUET_RETURN_NOT_OK(FindSparkSubmit().status());
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan, SparkPlan(group));
    BANQUET_RETURN_NOT_OK(
        SourcePath(plan.scan().request.source, *context.config, settings_).status());
    PlannedTask planned{.plan = plan.ToString(), .scan = {}};
    planned.scan.pushed_down.push_back(
        fmt::format("all but the writing, to Spark at {}", settings_.master()));
    return planned;
  }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    BANQUET_RETURN_NOT_OK(CheckGroup(context, group));
    if (write_ == SparkWrite::kExecutors) return WriteByExecutors(context, group, jobs);
    return staged_.Run(context, group, jobs, area_.get(), &load_, [&](const StagingFolder& folder) {
      return Stage(context, group, jobs, folder);
    });
  }

  void GroupDone(const ExecutionContext& context, const Jobs& jobs, bool is_recorded) override {
    staged_.Done(context, jobs, is_recorded);
  }
  void GroupSplit(const Jobs& jobs) override { staged_.Split(jobs); }

 private:
  Status CheckGroup(const ExecutionContext& context, const TaskGroup& group) const {
    const MaterializationTask& task = group.tasks.front();
    if (!task.only_latest)
      return UserError("The Spark engine writes the newest row of each key alone");
    if (write_ == SparkWrite::kStaging) return Status::OK();
    BANQUET_RETURN_NOT_OK(CheckRate(context));
    for (StoreLanes* lanes : context.online_stores) {
      if (!lanes->store().needs().this_machine_only || settings_.is_local()) continue;
      return UserError(
          "{} cannot be written by the executors of a cluster; use batch_engine.write: staging, "
          "spark.master: local[*] or the local engine: view {}",
          lanes->store().type(), task.view.name);
    }
    return Status::OK();
  }

  // banquet.write_rate_max holds for a run. Each task that writes keeps to its part.
  Status CheckRate(const ExecutionContext& context) const {
    const int64_t rate = context.config->options.write_rate_max;
    if (rate == 0) return Status::OK();
    if (settings_.partitions == 0) {
      return UserError(
          "banquet.write_rate_max is divided between the tasks that write; set "
          "batch_engine.partitions");
    }
    if (context.engines > 1) {
      return UserError(
          "banquet.write_rate_max cannot be kept by executors beside another engine; use "
          "batch_engine.write: staging, or run these views by themselves");
    }
    if (RateOfTask(context) > 0) return Status::OK();
    return UserError(
        "banquet.write_rate_max: {} rows a second are fewer than the tasks that write: {} "
        "partitions of {} groups of views at once",
        rate, settings_.partitions, groups_at_once());
  }

  int64_t RateOfTask(const ExecutionContext& context) const {
    return context.config->options.write_rate_max /
           (int64_t{std::max(1, settings_.partitions)} * groups_at_once());
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
    if (config.options.write_rate_max > 0)
      set("write_rate_max", std::to_string(RateOfTask(context)));
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
    if (result.written.rows != result.winners) {
      return DataError("Spark chose {} rows, and its tasks tell of {}", result.winners,
                       result.written.rows);
    }
    BANQUET_RETURN_NOT_OK(TakeCounts(result, &jobs.front()->fates()));
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
    if (manifest.rows() != result.winners) {
      return DataError("The Spark job staged {} rows, the files hold {}: {}", result.winners,
                       manifest.rows(), folder.uri());
    }
    BANQUET_RETURN_NOT_OK(TakeCounts(result, &jobs.front()->fates()));
    return manifest;
  }

  // Has Spark do the plan of a group, in an application of its own or in that of all.
  template <typename MakeTarget>
  Result<SparkResult> Do(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
                         const MakeTarget& make_target) {
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan, SparkPlan(group));
    BANQUET_ASSIGN_OR_RETURN(const SparkPath source,
                             SourcePath(plan.scan().request.source, *context.config, settings_));
    const std::string& run_id = jobs.front()->id();
    BANQUET_ASSIGN_OR_RETURN(const auto application, ApplicationFor(context, group, run_id));
    BANQUET_ASSIGN_OR_RETURN(
        const std::string text,
        application->Do(SparkPlanToJson(plan, make_target(application->runtime()), source, run_id),
                        run_id, [&](const SparkNews& news) {
                          for (const auto& job : jobs) {
                            job->ShowDoing(DoingOf(news));
                            if (!news.address.empty()) job->ShowAt(news.address);
                          }
                        }));
    BANQUET_ASSIGN_OR_RETURN(SparkResult result, SparkResultFromJson(text, run_id));
    if (result.error.empty()) return result;
    return SparkFailure(result.condition, LinesOf(result.error), application->KeepLog(run_id));
  }

  Result<std::shared_ptr<SparkApplication>> ApplicationFor(const ExecutionContext& context,
                                                           const TaskGroup& group,
                                                           const std::string& run_id) {
    const MaterializationTask& task = group.tasks.front();
    SparkLaunch launch{.settings = settings_,
                       .name = fmt::format("banquet {} {}", task.project, task.view.name),
                       .ships_runtime = write_ == SparkWrite::kExecutors,
                       .stop = context.stop};
    if (settings_.deploy_mode() == "cluster") {
      // Beside the folder that the view's rows are staged in.
      BANQUET_ASSIGN_OR_RETURN(StagingFolder channel,
                               area_->Begin(task.project, task.storage_name + " job", run_id));
      return SubmitOnePlan(launch, std::move(channel));
    }
    if (!settings_.shares_application) return ServePlans(launch);
    const std::lock_guard lock(mutex_);
    if (application_ == nullptr) {
      launch.name = "banquet " + task.project;
      BANQUET_ASSIGN_OR_RETURN(application_, ServePlans(launch));
    }
    return application_;
  }

  static Status TakeCounts(const SparkResult& result, RowFates* fates) {
    fates->read = result.read;
    fates->total = result.read;
    fates->null_time = result.null_time;
    fates->null_key = result.null_key;
    fates->outside_window = result.outside_window;
    fates->winners = result.winners;
    fates->duplicates =
        result.read - result.null_time - result.null_key - result.outside_window - result.winners;
    if (fates->duplicates >= 0) return Status::OK();
    return DataError("The Spark job read {} rows and gives {}: did the source change meanwhile?",
                     result.read, result.winners);
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
  const SparkWrite write_;
  // For rows where they are staged, and for what a driver elsewhere leaves; else nullptr.
  const std::unique_ptr<StagingArea> area_;
  GroupLoad load_;
  StagedGroups staged_;
  std::mutex mutex_;
  std::shared_ptr<SparkApplication> application_;  // Of all groups, where they share one.
};

}  // namespace

std::unique_ptr<ComputeEngine> MakeSparkComputeEngine(SparkSettings settings, SparkWrite write,
                                                      std::unique_ptr<StagingArea> area) {
  return std::make_unique<SparkComputeEngine>(std::move(settings), write, std::move(area));
}

}  // namespace banquet
