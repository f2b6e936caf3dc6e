#include "banquet/cli/reported_run.h"

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/cli/job_wait.h"
#include "banquet/cli/run_metrics.h"
#include "banquet/cli/signals.h"

namespace banquet {

Result<RunReport> RunTasks(const GlobalOptions& options, RunParts* run, RunRemarks remarks,
                           Clock& clock, std::stop_source* stop,
                           std::chrono::steady_clock::time_point started) {
  const RepoConfig& config = run->repository.config;
  const ExecutionContext context = run->Context(clock, stop->get_token());
  const std::unique_ptr<EngineSet> engines = std::move(run->engines);  // Which borrow the context.
  const bool records = std::ranges::any_of(run->tasks, [](const SelectedTask& one) {
    return one.refusal.ok() && one.task.records_interval;
  });
  // Before hours of work, not behind them.
  if (records) BANQUET_RETURN_NOT_OK(run->repository.registry->CheckWritable());
  CatchStopSignals();
  std::vector<std::string>& warnings = remarks.warnings;
  TellWarnings(warnings);
  // OpenRepository has told those of the configuration.
  warnings.insert(warnings.begin(), config.warnings.begin(), config.warnings.end());
  const auto jobs = engines->Materialize(context, std::move(run->tasks));
  const auto progress = MakeProgress(ChooseProgressMode(options.progress, options.quiet), jobs);
  WaitForJobs(jobs, progress.get(), stop);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return MakeRunReport(jobs, std::move(warnings), remarks.error, StopSignal(), seconds);
}

namespace {

// The metrics are part of what was asked for: without them the run has not wholly succeeded.
void LeaveMetrics(const GlobalOptions& options, RunReport* report) {
  if (options.metrics_file.empty()) return;
  const Status status = WriteMetrics(options.metrics_file, *report);
  if (status.ok()) return;
  std::fprintf(stderr, "banquet: %s\n", MessageOf(status).c_str());
  if (report->exit_code == 0) {
    report->status = "ERROR";
    report->error = status;
  }
  report->exit_code = std::max(report->exit_code, ExitCodeOf(status));
}

int PrintReport(const GlobalOptions& options, RunReport report) {
  TellWarnings(std::span(report.warnings).subspan(report.warnings_told));
  for (const ViewReport& view : report.views) {
    if (view.error.ok()) continue;
    std::fprintf(stderr, "banquet: %s\n", NamedError(view).c_str());
  }
  if (report.views.empty() && !report.error.ok()) {
    std::fprintf(stderr, "banquet: %s\n", MessageOf(report.error).c_str());
  }
  LeaveMetrics(options, &report);
  if (options.json) {
    std::printf("%s\n", ReportAsJson(report).c_str());
  } else if (!options.quiet && !report.views.empty()) {
    std::printf("%s", ReportAsTable(report).c_str());
  }
  return report.exit_code;
}

}  // namespace

int ReportedRun(const GlobalOptions& options, const RunBody& body) {
  const auto started = std::chrono::steady_clock::now();
  if (const Status status = CheckMetricsPath(options.metrics_file); !status.ok())
    return ReportFailure(options, status);
  const WarningRecord record;
  Result<RunReport> run = body(started);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  RunReport report = run.ok() ? *std::move(run) : MakeRunReport({}, {}, run.status(), 0, seconds);
  // The log has told these; the last may have come as the stores were closed.
  const std::vector<std::string> logged = record.texts();
  const auto told_end = report.warnings.begin() + static_cast<ptrdiff_t>(report.warnings_told);
  report.warnings.insert(told_end, logged.begin(), logged.end());
  report.warnings_told += logged.size();
  return PrintReport(options, std::move(report));
}

}  // namespace banquet
