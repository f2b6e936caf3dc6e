#pragma once
// What the Spark job is told, and what it tells (docs/spark.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/sink_frame.h"
#include "banquet/engine/sink_run.h"
#include "banquet/engine/spark/spark_settings.h"
#include "banquet/plan/execution_plan.h"

namespace banquet {

struct SparkJobFiles {
  std::string sink;  // The command banquet: absolute, or below the executor's folder of files.
  std::string library_path;  // Its libraries, below that folder; empty: where it finds them itself.
  std::string result;
};

// The source's path is absolute or names objects.
std::string SparkPlanToJson(const ExecutionPlan& plan, const SparkSettings& settings,
                            const SinkFrame& frame, const SparkJobFiles& files,
                            const std::string& source_path, const std::string& run_id);

struct SparkResult {
  std::string application;
  int64_t read = 0;
  int64_t null_time = 0;
  int64_t null_key = 0;
  int64_t outside_window = 0;
  SinkReport written;  // Of all tasks that count.
};

// A file of another run, or whose tasks do not add up, is a data error: nothing of it is believed.
Result<SparkResult> SparkResultFromJson(std::string_view text, const std::string& run_id);

// The sinks' own words in what spark-submit printed: the exit code and the message. nullopt: none
// failed.
struct SinkFailure {
  int exit_code = 0;
  std::string message;
};
std::optional<SinkFailure> FindSinkFailure(const std::vector<std::string>& lines);

}  // namespace banquet
