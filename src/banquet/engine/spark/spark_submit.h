#pragma once
// spark-submit at work: followed line by line in a thread of its own.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

// Safe to share between threads.
class SparkSubmit {
 public:
  // What our job says of itself: lines that begin with "BANQUET ". Called in the thread that
  // follows it.
  using OnTold = std::function<void(const nlohmann::json& told)>;

  // Does not wait. A stop ends it.
  SparkSubmit(std::vector<std::string> words, OnTold on_told, std::stop_token stop);
  // Waits for its end.
  ~SparkSubmit() = default;
  SparkSubmit(const SparkSubmit&) = delete;
  SparkSubmit& operator=(const SparkSubmit&) = delete;

  void Stop() { stop_.request_stop(); }
  // Its exit code once it has ended.
  std::optional<Result<int>> ended();
  // Until it says something, ends, or the time passes.
  void Wait(std::chrono::milliseconds timeout);

  // How many lines it has printed, and those since then, as far back as they are kept (4,000).
  int64_t line_count();
  std::vector<std::string> LinesSince(int64_t count);
  // "; its log: PATH": where the kept lines are written; empty if that cannot be. `run_id`: names
  // the file.
  std::string KeepLog(const std::string& run_id);

 private:
  void TakeLine(std::string_view line);

  const OnTold on_told_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> when_stopped_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;  // The last of them.
  int64_t line_count_ = 0;
  bool is_short_of_executors_ = false;
  std::optional<Result<int>> ended_;
  std::jthread thread_;
};

}  // namespace banquet
