#pragma once
// The report of a run: one object that the table, the JSON and the metrics are made from.

#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/materialization_job.h"

namespace banquet {

struct ViewReport {
  std::string name;
  JobStatus status = JobStatus::kWaiting;
  Status error;
  TimeWindow window;
  JobReport job;
};

struct RunReport {
  std::string job_id;
  std::string status;  // "SUCCEEDED", "ERROR" or "CANCELLED".
  Status error;        // Of the whole run, or the worst view's.
  std::vector<std::string> warnings;
  double seconds = 0;
  int64_t peak_memory_bytes = 0;
  std::vector<ViewReport> views;
  int exit_code = 0;
};

// Gathers what the jobs say. `run_error` is of the run as a whole (a service left out, …), OK when
// there is none; `signal` is the one that stopped the run, or 0.
RunReport MakeRunReport(const std::vector<std::shared_ptr<MaterializationJob>>& jobs,
                        std::vector<std::string> warnings, const Status& run_error, int signal,
                        double seconds);

std::string ReportAsTable(const RunReport& report);
std::string ReportAsJson(const RunReport& report);     // One line.
std::string ReportAsMetrics(const RunReport& report);  // Prometheus text format.

}  // namespace banquet
