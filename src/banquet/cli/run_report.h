#pragma once
// The report of a run: one object that the table, the JSON and the metrics are made from.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/materialization_job.h"

namespace banquet {

struct ViewReport {
  std::string name;
  JobStatus status = JobStatus::kWaiting;
  Status error;
  TimeWindow window;
  std::string url;    // Of a page that shows the job; empty: there is none.
  int exit_code = 0;  // What the error stands for; of a stopped run, as the signal says.
  JobReport job;
  std::optional<int64_t> fresh_until_us;  // Latest end of all recorded intervals; nullopt: none.
};

struct RunReport {
  std::string job_id;
  std::string status;  // "SUCCEEDED", "ERROR" or "CANCELLED".
  Status error;        // Of the whole run, or the worst view's.
  std::vector<std::string> warnings;
  size_t warnings_told = 0;  // Those at the front that standard error has already.
  double seconds = 0;
  int64_t ended_us = 0;
  int64_t peak_memory_bytes = 0;
  std::vector<ViewReport> views;
  int exit_code = 0;
};

// A number of the report and its name in the metrics.
struct Count {
  std::string_view name;
  int64_t value;
};
std::vector<Count> Fates(const RowCounts& rows);        // They add up to the rows read.
std::vector<Count> Outcomes(const StoreReport& store);  // They add up to the winners.

// Gathers what the jobs say; without jobs, the report of a run that never began. `warnings` are
// those told already. `run_error` is of the run as a whole (a service left out, …), OK when
// there is none; `signal` is the one that stopped the run, or 0.
RunReport MakeRunReport(const std::vector<std::shared_ptr<MaterializationJob>>& jobs,
                        std::vector<std::string> warnings, const Status& run_error, int signal,
                        double seconds);

// The error with the name of its view, which the message may begin with already.
std::string NamedError(const ViewReport& view);

std::string ReportAsTable(const RunReport& report);
std::string ReportAsJson(const RunReport& report);  // One line.

}  // namespace banquet
