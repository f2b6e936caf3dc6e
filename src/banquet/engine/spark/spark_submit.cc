#include "banquet/engine/spark/spark_submit.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/base/percent_text.h"
#include "banquet/client/process/program.h"

namespace banquet {
namespace {

constexpr std::string_view kTold = "BANQUET ";
constexpr std::string_view kNoExecutors = "has not accepted any resources";  // Spark's own words.
constexpr size_t kLinesKept = 4'000;

}  // namespace

SparkSubmit::SparkSubmit(std::vector<std::string> words, OnTold on_told, std::stop_token stop)
    : on_told_(std::move(on_told)),
      when_stopped_(std::move(stop), [this] { stop_.request_stop(); }),
      thread_([this, words = std::move(words)] {
        Result<int> code = RunProgram({.words = words,
                                       .environment = {},
                                       .on_line = [&](std::string_view line) { TakeLine(line); },
                                       .stop = stop_.get_token()});
        const std::lock_guard lock(mutex_);
        ended_ = std::move(code);
        changed_.notify_all();
      }) {}

std::optional<Result<int>> SparkSubmit::ended() {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void SparkSubmit::Wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!ended_.has_value()) changed_.wait_for(lock, timeout);
}

void SparkSubmit::TakeLine(std::string_view line) {
  if (line.starts_with(kTold)) {
    const auto told = nlohmann::json::parse(line.substr(kTold.size()), nullptr, false);
    if (told.is_object()) on_told_(told);
  }
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
  if (line.starts_with(kTold)) return;
  lines_.emplace_back(line);
  ++line_count_;
  if (lines_.size() > kLinesKept) lines_.pop_front();
  if (line.find(kNoExecutors) != std::string::npos && !std::exchange(is_short_of_executors_, true))
    LogWarning("Spark waits for executors: the cluster has given it none yet");
}

int64_t SparkSubmit::line_count() {
  const std::lock_guard lock(mutex_);
  return line_count_;
}

std::vector<std::string> SparkSubmit::LinesSince(int64_t count) {
  const std::lock_guard lock(mutex_);
  const int64_t wanted = std::min<int64_t>(line_count_ - count, std::ssize(lines_));
  return {lines_.end() - wanted, lines_.end()};
}

std::string SparkSubmit::KeepLog(const std::string& run_id) {
  std::error_code error;
  const std::filesystem::path home = std::filesystem::temp_directory_path(error);
  if (error) return "";
  const std::string path = home / ("banquet-" + PercentEncoded(run_id) + ".log");
  std::ofstream file(path);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  for (const std::string& line : LinesSince(0)) file << line << "\n";
  file.close();
  return file.good() ? "; its log: " + path : "";
}

}  // namespace banquet
