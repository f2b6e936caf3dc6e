#pragma once
// The metrics file (--metrics-file): a run as Prometheus text, for those who collect it from disk.

#include <string>

#include "banquet/cli/run_report.h"

namespace banquet {

std::string ReportAsMetrics(const RunReport& report);

// Before the run: a path that surely cannot be written is a user error, while nothing is done yet.
Status CheckMetricsPath(const std::string& path);

// Replaces the file at once, so that a collector never reads half of it. What is no regular file (a
// pipe, /dev/stderr) is written to.
Status WriteMetrics(const std::string& path, const RunReport& report);

}  // namespace banquet
