#include "banquet/engine/spark/spark_compute_engine.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/base/environment.h"
#include "banquet/base/log.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/objects/object_store.h"
#include "banquet/client/process/program.h"
#include "banquet/engine/spark/spark_job_text.h"
#include "banquet/engine/spark/spark_plan.h"
#include "banquet/engine/spark/work_folder.h"
#include "banquet/plan/feature_builder.h"

namespace banquet {
namespace {

constexpr std::string_view kTold = "BANQUET ";
constexpr char kRuntimeFolder[] = "banquet_runtime";
constexpr char kNoMemory[] = "96MiB";  // Of a sink: it streams, and stands beside an executor.
constexpr size_t kLinesKept = 4'000;

// The local path that Spark is to read, or the objects' URI.
Result<std::string> SourcePath(const DataSource& source, const RepoConfig& config) {
  if (!source.s3_endpoint_override.empty() && !objects::IsObjectUri(source.uri))
    return UserError("The data source has an s3_endpoint_override but no s3:// path: {}",
                     source.uri);
  if (source.uri.find("://") != std::string::npos) return source.uri;
  return (std::filesystem::path(config.repo_path) / source.uri).lexically_normal().string();
}

std::string SubmitCommand() {
  const std::string home = FirstOfEnvironment({"SPARK_HOME"});
  return home.empty() ? "spark-submit" : home + "/bin/spark-submit";
}

// The line of what spark-submit printed that says most.
std::string WhatWentWrong(const std::deque<std::string>& lines) {
  for (const std::string_view word :
       {"Caused by: ", "Exception: ", "Error: ", "ERROR", "Exception"}) {
    const auto line = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& one) {
      return one.find(word) != std::string::npos;
    });
    if (line != lines.rend()) return *line;
  }
  return lines.empty() ? "it printed nothing" : lines.back();
}

// Where all that Spark printed is kept after a failure.
std::string KeepLog(const std::deque<std::string>& lines, const std::string& run_id) {
  std::error_code error;
  const std::filesystem::path home = std::filesystem::temp_directory_path(error);
  if (error) return "";
  const std::string path = home / ("banquet-" + run_id + ".log");
  std::ofstream file(path);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  for (const std::string& line : lines) file << line << "\n";
  file.close();
  return file.good() ? "; its log: " + path : "";
}

class SparkComputeEngine final : public ComputeEngine {
 public:
  explicit SparkComputeEngine(SparkSettings settings) : settings_(std::move(settings)) {}
  ~SparkComputeEngine() override { JoinAll(); }

 protected:
  Status MaterializeGroup(const ExecutionContext& context, const TaskGroup& group,
                          const Jobs& jobs) override {
    BANQUET_RETURN_NOT_OK(CheckGroup(context, group));
    // What Spark reads is not sorted by us: stores take rows as they come.
    const FeatureBuilder builder({}, WriteOrder::kAny);
    BANQUET_ASSIGN_OR_RETURN(const ExecutionPlan plan, builder.Build(group));
    std::vector<std::vector<StoreTally*>> tallies;  // Of each store, then of each view.
    for (StoreLanes* lanes : context.online_stores) {
      std::vector<StoreTally*>& of_store = tallies.emplace_back();
      for (const auto& job : jobs)
        of_store.push_back(&job->AddStore(lanes->name(), std::string(lanes->store().type())));
    }
    for (StoreLanes* lanes : context.online_stores)
      BANQUET_RETURN_NOT_OK(lanes->store().Prepare(group.columns));
    const std::string run_id = jobs.front()->id();
    BANQUET_ASSIGN_OR_RETURN(const WorkFolder folder, WorkFolder::Make());
    BANQUET_ASSIGN_OR_RETURN(const SparkResult result,
                             Submit(context, group, plan, folder, run_id, jobs));
    return Take(result, context, group, tallies, &jobs.front()->fates());
  }

 private:
  Status CheckGroup(const ExecutionContext& context, const TaskGroup& group) const {
    const MaterializationTask& task = group.tasks.front();
    if (group.fail_on_null_key) {
      return UserError("banquet.on_null_key: fail is not supported by the Spark engine: view {}",
                       task.view.name);
    }
    if (!task.only_latest)
      return UserError("The Spark engine writes the newest row of each key alone");
    if (context.config->options.write_rate_max > 0 && settings_.partitions == 0) {
      return UserError(
          "banquet.write_rate_max is divided between the tasks that write; set "
          "batch_engine.partitions: view {}",
          task.view.name);
    }
    for (StoreLanes* lanes : context.online_stores) {
      if (lanes->store().type() != "sqlite" || settings_.is_local()) continue;
      return UserError(
          "SQLite cannot be written by the executors of a cluster; use spark.master: local[*] or "
          "the local engine: view {}",
          task.view.name);
    }
    return Status::OK();
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
    set("memory_limit", kNoMemory);
    if (config.options.write_rate_max > 0) {
      set("write_rate_max",
          std::to_string(std::max<int64_t>(
              1, config.options.write_rate_max / std::max(1, settings_.partitions))));
    }
    return frame;
  }

  // Files and words of spark-submit; then what the job tells.
  Result<SparkResult> Submit(const ExecutionContext& context, const TaskGroup& group,
                             const ExecutionPlan& plan, const WorkFolder& folder,
                             const std::string& run_id, const Jobs& jobs) {
    BANQUET_ASSIGN_OR_RETURN(const std::string source,
                             SourcePath(plan.scan().request.source, *context.config));
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> runtime, RuntimeFiles());
    SparkJobFiles files{
        .sink = runtime.front(), .library_path = {}, .result = folder.File("result")};
    Program program{
        .words = {SubmitCommand()}, .environment = {}, .on_line = {}, .stop = context.stop};
    const auto add = [&](std::initializer_list<std::string> words) {
      program.words.insert(program.words.end(), words);
    };
    if (!settings_.is_local()) {
      BANQUET_RETURN_NOT_OK(PackRuntime(runtime, folder.File("runtime.tar.gz"), context.stop));
      add({"--archives", folder.File("runtime.tar.gz") + "#" + kRuntimeFolder});
      files.sink = std::string(kRuntimeFolder) + "/" +
                   std::filesystem::path(runtime.front()).filename().string();
      files.library_path = kRuntimeFolder;
    }
    for (const std::string& word : settings_.Arguments()) program.words.push_back(word);
    const SinkFrame frame = FrameOf(context, group);
    BANQUET_RETURN_NOT_OK(
        folder.Write("plan.json", SparkPlanToJson(plan, settings_, frame, files, source, run_id)));
    BANQUET_RETURN_NOT_OK(folder.Write("spark_job.py", kSparkJob));
    add({folder.File("spark_job.py"), folder.File("plan.json")});

    std::deque<std::string> lines;
    program.on_line = [&](std::string_view line) { TakeLine(line, jobs, &lines); };
    BANQUET_ASSIGN_OR_RETURN(const int code, RunProgram(program));
    const Result<std::string> text = ReadWholeFile(files.result);
    if (code != 0 || !text.ok()) return Failure(code, lines, run_id);
    return SparkResultFromJson(*text, run_id);
  }

  static void TakeLine(std::string_view line, const Jobs& jobs, std::deque<std::string>* lines) {
    if (!line.starts_with(kTold)) {
      lines->emplace_back(line);
      if (lines->size() > kLinesKept) lines->pop_front();
      return;
    }
    const auto told = nlohmann::json::parse(line.substr(kTold.size()), nullptr, false);
    if (!told.is_object() || told.value("kind", "") != "application") return;
    const std::string url = told.value("url", "");
    LogInfo("Spark application {} {}", told.value("id", ""), url);
    for (const auto& job : jobs) job->ShowAt(url.empty() ? told.value("id", "") : url);
  }

  static Status Failure(int code, const std::deque<std::string>& lines, const std::string& run_id) {
    const std::string log = KeepLog(lines, run_id);
    const auto sink = FindSinkFailure({lines.begin(), lines.end()});
    if (sink.has_value()) {
      constexpr int kUser = 2;
      constexpr int kData = 3;
      const std::string text =
          fmt::format("A sink on an executor failed: {}{}", sink->message, log);
      if (sink->exit_code == kUser) return UserError("{}", text);
      if (sink->exit_code == kData) return DataError("{}", text);
      return RemoteError({}, "{}", text);
    }
    return RemoteError({}, "The Spark job failed (spark-submit ended with {}): {}{}", code,
                       WhatWentWrong(lines), log);
  }

  static Status PackRuntime(const std::vector<std::string>& files, const std::string& archive,
                            const std::stop_token& stop) {
    std::vector<std::string> last;
    Program tar{.words = {"tar", "--create", "--gzip", "--dereference", "--file", archive,
                          "--transform", "s,.*/,,", "--absolute-names"},
                .environment = {{"GZIP", "-1"}},
                .on_line = [&](std::string_view line) { last.emplace_back(line); },
                .stop = stop};
    tar.words.insert(tar.words.end(), files.begin(), files.end());
    BANQUET_ASSIGN_OR_RETURN(const int code, RunProgram(tar));
    if (code == 0) return Status::OK();
    return UserError("The runtime for the executors cannot be packed: {}",
                     last.empty() ? "tar failed" : last.back());
  }

  static Status Take(const SparkResult& result, const ExecutionContext& context,
                     const TaskGroup& group, const std::vector<std::vector<StoreTally*>>& tallies,
                     RowFates* fates) {
    fates->read = result.read;
    fates->total = result.read;
    fates->null_time = result.null_time;
    fates->null_key = result.null_key;
    fates->outside_window = result.outside_window;
    fates->winners = result.written.rows;
    const int64_t duplicates = result.read - result.null_time - result.null_key -
                               result.outside_window - result.written.rows;
    if (duplicates < 0) {
      return Bug("The Spark job read {} rows and wrote {}", result.read, result.written.rows);
    }
    fates->duplicates = duplicates;
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
    return Status::OK();
  }

  const SparkSettings settings_;
};

}  // namespace

Result<std::unique_ptr<ComputeEngine>> MakeSparkComputeEngine(const ConfigNode& block) {
  BANQUET_ASSIGN_OR_RETURN(SparkSettings settings, ParseSparkSettings(block));
  return std::make_unique<SparkComputeEngine>(std::move(settings));
}

}  // namespace banquet
