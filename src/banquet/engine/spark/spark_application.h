#pragma once
// One application on a Spark cluster: spark-submit of our job, which serves plans until it is
// ended.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/spark/sink_runtime.h"
#include "banquet/engine/spark/spark_settings.h"
#include "banquet/engine/spark/work_folder.h"

namespace banquet {

// Safe to share between threads.
class SparkApplication {
 public:
  // Starts spark-submit and does not wait for it. `name`: the application's; `run_id`: names the
  // log that is kept after a failure. `ships_runtime`: executors are to have a sink.
  static Result<std::shared_ptr<SparkApplication>> Start(const SparkSettings& settings,
                                                         const std::string& name,
                                                         const std::string& run_id,
                                                         bool ships_runtime, std::stop_token stop);
  // Lets the job end when its plans are done, and waits for that.
  ~SparkApplication();
  SparkApplication(const SparkApplication&) = delete;
  SparkApplication& operator=(const SparkApplication&) = delete;

  const SinkRuntime& runtime() const { return runtime_; }
  // Has the job do a plan, and gives the text of its result. `on_address`: told the application's
  // page, or its id where it has none, once it is known. An application that ends before is an
  // error: a remote one, or as one of its sinks said.
  Result<std::string> Do(std::string_view plan,
                         const std::function<void(const std::string&)>& on_address);
  // "; its log: PATH": where all that Spark printed until now is kept; empty if that cannot be.
  std::string KeepLog();

 private:
  SparkApplication(WorkFolder folder, std::string run_id, std::stop_token stop)
      : folder_(std::move(folder)),
        run_id_(std::move(run_id)),
        when_stopped_(std::move(stop), [this] { stop_.request_stop(); }) {}
  Result<std::vector<std::string>> Words(const SparkSettings& settings, const std::string& name,
                                         bool ships_runtime);
  void TakeLine(std::string_view line);
  std::vector<std::string> lines();

  const WorkFolder folder_;
  const std::string run_id_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> when_stopped_;
  SinkRuntime runtime_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int plans_ = 0;
  std::string address_;
  std::deque<std::string> lines_;     // The last that it printed.
  std::optional<Result<int>> ended_;  // Its exit code.
  std::jthread thread_;               // Follows it.
};

// What Spark said, as the error that it is. `condition`: Spark's own name of it, or REFUSED; may be
// empty. `log`: KeepLog.
Status SparkFailure(const std::string& condition, const std::vector<std::string>& lines,
                    const std::string& log);

}  // namespace banquet
