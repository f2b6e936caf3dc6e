#include "banquet/engine/spark/spark_application.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/base/environment.h"
#include "banquet/base/log.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/process/program.h"
#include "banquet/engine/spark/spark_job_text.h"
#include "banquet/engine/spark/spark_plan.h"

namespace banquet {
namespace {

constexpr std::string_view kTold = "BANQUET ";
constexpr char kRuntimeFolder[] = "banquet_runtime";
constexpr size_t kLinesKept = 4'000;
constexpr std::chrono::milliseconds kLookAgain(50);

std::string SubmitCommand() {
  const std::string home = FirstOfEnvironment({"SPARK_HOME"});
  return home.empty() ? "spark-submit" : home + "/bin/spark-submit";
}

Status PackRuntime(const std::vector<std::string>& files, const std::string& archive,
                   const std::stop_token& stop) {
  std::vector<std::string> last;
  // The C++ library apart: the executor's own asks for less of glibc, where it is new enough.
  Program tar{.words = {"tar", "--create", "--gzip", "--dereference", "--file", archive,
                        "--transform", R"(s,^/.*/\(libstdc++\|libgcc_s\)\.so,cxx/\1.so,)",
                        "--transform", "s,^/.*/,,", "--absolute-names"},
              .environment = {{"GZIP", "-1"}},
              .on_line = [&](std::string_view line) { last.emplace_back(line); },
              .stop = stop};
  tar.words.insert(tar.words.end(), files.begin(), files.end());
  BANQUET_ASSIGN_OR_RETURN(const int code, RunProgram(tar));
  if (code == 0) return Status::OK();
  return UserError("The runtime for the executors cannot be packed: {}",
                   last.empty() ? "tar failed" : last.back());
}

// The line that says most.
std::string WhatWentWrong(const std::vector<std::string>& lines) {
  for (const std::string_view word :
       {"Cannot run program ", "Caused by: ", "Exception: ", "Error: ", "ERROR", "Exception"}) {
    const auto line = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& one) {
      return one.find(word) != std::string::npos;
    });
    if (line != lines.rend()) return *line;
  }
  return lines.empty() ? "it printed nothing" : lines.back();
}

bool IsTheUsers(const std::string& condition) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{
          "REFUSED", "PATH_NOT_FOUND", "TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "UNRESOLVED_",
          "PARSE_", "DATA_SOURCE_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "DATATYPE_MISMATCH",
          "AMBIGUOUS_", "MISSING_GROUP_BY", "UNSUPPORTED_", "REQUIRES_SINGLE_PART_NAMESPACE"},
      [&](std::string_view begins) { return condition.starts_with(begins); });
}

}  // namespace

Result<std::shared_ptr<SparkApplication>> SparkApplication::Start(const SparkSettings& settings,
                                                                  const std::string& name,
                                                                  const std::string& run_id,
                                                                  bool ships_runtime,
                                                                  std::stop_token stop) {
  BANQUET_ASSIGN_OR_RETURN(WorkFolder folder, WorkFolder::Make());
  const std::shared_ptr<SparkApplication> made(
      new SparkApplication(std::move(folder), run_id, std::move(stop)));
  BANQUET_ASSIGN_OR_RETURN(std::vector<std::string> words,
                           made->Words(settings, name, ships_runtime));
  SparkApplication* application = made.get();  // Which its thread must not keep alive.
  made->thread_ = std::jthread([application, words = std::move(words)] {
    Result<int> code =
        RunProgram({.words = words,
                    .environment = {},
                    .on_line = [&](std::string_view line) { application->TakeLine(line); },
                    .stop = application->stop_.get_token()});
    const std::lock_guard lock(application->mutex_);
    application->ended_ = std::move(code);
    application->changed_.notify_all();
  });
  return made;
}

// The files that the job and its executors need, and the command that starts it.
Result<std::vector<std::string>> SparkApplication::Words(const SparkSettings& settings,
                                                         const std::string& name,
                                                         bool ships_runtime) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> files, RuntimeFiles());
  runtime_.program = files.front();
  std::vector<std::string> words = {SubmitCommand()};
  if (ships_runtime && !settings.is_local()) {
    BANQUET_RETURN_NOT_OK(PackRuntime(files, folder_.File("runtime.tar.gz"), stop_.get_token()));
    words.insert(words.end(),
                 {"--archives", folder_.File("runtime.tar.gz") + "#" + kRuntimeFolder});
    runtime_.program = std::string(kRuntimeFolder) + "/" +
                       std::filesystem::path(files.front()).filename().string();
    runtime_.library_path = kRuntimeFolder;
  }
  for (std::string& word : settings.Arguments()) words.push_back(std::move(word));
  const nlohmann::json application = {
      {"name", name}, {"partitions", settings.partitions}, {"conf", settings.Secrets()}};
  BANQUET_RETURN_NOT_OK(
      folder_.Write("application.json",
                    application.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  BANQUET_RETURN_NOT_OK(folder_.Write("spark_job.py", kSparkJob));
  words.push_back(folder_.File("spark_job.py"));
  words.push_back(folder_.path());
  return words;
}

SparkApplication::~SparkApplication() {
  // Without it the job would wait for plans for ever.
  if (!folder_.Write("end", "").ok()) stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<std::string> SparkApplication::Do(
    std::string_view plan, const std::function<void(const std::string&)>& on_address) {
  std::unique_lock lock(mutex_);
  const int number = ++plans_;
  BANQUET_RETURN_NOT_OK(folder_.Write(fmt::format("plan-{}.json", number), plan));
  const std::string result = folder_.File(fmt::format("result-{}.json", number));
  bool is_told = false;
  while (true) {
    const bool has_ended = ended_.has_value();  // Before the look: what it left until then counts.
    if (!address_.empty() && !std::exchange(is_told, true)) on_address(address_);
    std::error_code ignored;
    if (std::filesystem::exists(result, ignored)) return ReadWholeFile(result);
    if (has_ended) break;
    changed_.wait_for(lock, kLookAgain);
  }
  const Result<int> code = *ended_;
  lock.unlock();
  BANQUET_RETURN_NOT_OK(code);
  const Status failure = SparkFailure("", lines(), KeepLog());
  return Annotate(failure, fmt::format("spark-submit ended with {}", *code));
}

void SparkApplication::TakeLine(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (!line.starts_with(kTold)) {
    lines_.emplace_back(line);
    if (lines_.size() > kLinesKept) lines_.pop_front();
    return;
  }
  const auto told = nlohmann::json::parse(line.substr(kTold.size()), nullptr, false);
  if (!told.is_object() || told.value("kind", "") != "application") return;
  const std::string url = told.value("url", "");
  LogInfo("Spark application {} {}", told.value("id", ""), url);
  address_ = url.empty() ? told.value("id", "") : url;
  changed_.notify_all();
}

std::vector<std::string> SparkApplication::lines() {
  const std::lock_guard lock(mutex_);
  return {lines_.begin(), lines_.end()};
}

std::string SparkApplication::KeepLog() {
  std::error_code error;
  const std::filesystem::path home = std::filesystem::temp_directory_path(error);
  if (error) return "";
  const std::string path = home / ("banquet-" + run_id_ + ".log");
  std::ofstream file(path);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  for (const std::string& line : lines()) file << line << "\n";
  file.close();
  return file.good() ? "; its log: " + path : "";
}

Status SparkFailure(const std::string& condition, const std::vector<std::string>& lines,
                    const std::string& log) {
  if (const auto sink = FindSinkFailure(lines)) {
    constexpr int kUser = 2;
    constexpr int kData = 3;
    const std::string text = fmt::format("A sink on an executor failed: {}{}", sink->message, log);
    if (sink->exit_code == kUser) return UserError("{}", text);
    if (sink->exit_code == kData) return DataError("{}", text);
    return RemoteError({}, "{}", text);
  }
  if (condition == "REFUSED") return UserError("{}{}", lines.empty() ? "" : lines.front(), log);
  if (std::ranges::any_of(lines, [](const std::string& line) {
        return line.find("BANQUET-NULL-KEY") != std::string::npos;
      })) {
    return DataError("A join key is null and banquet.on_null_key is fail{}", log);
  }
  if (IsTheUsers(condition))
    return UserError("The Spark job failed: {}{}", lines.empty() ? condition : lines.front(), log);
  return RemoteError({}, "The Spark job failed: {}{}", WhatWentWrong(lines), log);
}

}  // namespace banquet
