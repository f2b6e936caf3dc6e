#pragma once
// One application on a Spark cluster: spark-submit of our job (python/banquet/spark_job.py).

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/engine/spark/sink_runtime.h"
#include "banquet/engine/spark/spark_settings.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// How far a plan is.
struct SparkNews {
  std::string address;  // Of the application's page, or its id where it has none; empty: not yet.
  int64_t tasks = 0;    // That Spark knows of so far,
  int64_t done = 0;
  int64_t active = 0;
};

// Safe to share between threads.
class SparkApplication {
 public:
  virtual ~SparkApplication() = default;

  virtual const SinkRuntime& runtime() const = 0;
  // Has the job do a plan, and gives the text of its result. `on_news`: called when there are some.
  // An application that ends before is an error: a remote one, or as one of its sinks said.
  virtual Result<std::string> Do(std::string_view plan, const std::string& run_id,
                                 const std::function<void(const SparkNews&)>& on_news) = 0;
  // As SparkSubmit::KeepLog.
  virtual std::string KeepLog(const std::string& run_id) = 0;
};

struct SparkLaunch {
  SparkSettings settings;
  std::string name;            // The application's.
  bool ships_runtime = false;  // Executors are to have a sink.
  std::stop_token stop;
};

// Deploy mode client: starts at once, and serves any number of plans until it is destroyed, which
// waits for its end. The job goes when this process does, however that ends.
Result<std::shared_ptr<SparkApplication>> ServePlans(const SparkLaunch& launch);

// Deploy mode cluster: starts with its one plan. The driver, which runs anywhere, leaves the result
// in `channel`, and ends when what we write there from time to time stays away.
Result<std::shared_ptr<SparkApplication>> SubmitOnePlan(const SparkLaunch& launch,
                                                        StagingFolder channel);

}  // namespace banquet
