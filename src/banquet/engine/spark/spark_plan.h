#pragma once
// What the Spark job is told, and what it tells (docs/spark.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/engine/sink_frame.h"
#include "banquet/engine/sink_run.h"
#include "banquet/engine/spark/sink_runtime.h"
#include "banquet/plan/execution_plan.h"

namespace banquet {

// What is done with the rows: either is given.
struct SparkTarget {
  // Executors write: what each sink is told, and where it is.
  std::optional<SinkFrame> frame;
  SinkRuntime runtime;
  // Spark's URI of the folder that takes the rows.
  std::string stage_uri;
};

// The source's files, as Spark's file systems name them; empty where it is a table or a query.
struct SparkPath {
  std::string uri;
  bool is_literal = false;  // One file or folder, no pattern, whatever its letters.
};

std::string SparkPlanToJson(const ExecutionPlan& plan, const SparkTarget& target,
                            const SparkPath& source_path, const std::string& run_id);

struct SparkResult {
  // Not empty: the plan failed so. Spark's own name of what is wrong (or REFUSED, or nothing), and
  // its words.
  std::string error;
  std::string condition;
  std::string application;
  int64_t read = 0;
  int64_t null_time = 0;
  int64_t null_key = 0;
  int64_t outside_window = 0;
  int64_t winners = 0;  // Rows that Spark chose, by its own count.
  SinkReport written;   // Of all tasks that count.
};

// A file of another run, or whose tasks do not add up, is a data error: nothing of it is believed.
Result<SparkResult> SparkResultFromJson(std::string_view text, const std::string& run_id);

}  // namespace banquet
