#include "banquet/cli/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "banquet/base/clock.h"
#include "banquet/base/memory_budget.h"
#include "banquet/base/time_text.h"
#include "banquet/cli/text_table.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kNameWidthMax = 40;  // Of a view or store in the table.

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json JsonOfRows(const RowCounts& rows) {
  return {{"read", rows.read},
          {"pruned", rows.pruned},
          {"skipped", rows.skipped},
          {"outside_window", rows.outside_window},
          {"null_key", rows.null_key},
          {"null_time", rows.null_time},
          {"duplicates", rows.duplicates},
          {"full_ties", rows.full_ties},
          {"quarantined", rows.quarantined},
          {"winners", rows.winners}};
}

Json JsonOfStore(const StoreReport& store) {
  return {{"name", store.name},
          {"type", store.type},
          {"status", NameOf(store.status)},
          {"error", TextOrNull(store.error)},
          {"written", store.written},
          {"stale", store.stale},
          {"unchanged", store.unchanged},
          {"undecided", store.undecided},
          {"bytes", store.bytes}};
}

// Latest end of the view's recorded intervals, this run's among them.
std::optional<int64_t> FreshUntil(const MaterializationTask& task, bool succeeded) {
  std::optional<int64_t> until_us;
  const auto take = [&](const TimeWindow& window) {
    until_us = std::max(until_us.value_or(window.end_us), window.end_us);
  };
  for (const TimeWindow& interval : task.view.materialization_intervals) take(interval);
  if (succeeded && task.records_interval) take(task.window);
  return until_us;
}

// Lines on the row groups that were left out, by reason.
std::string WhatWasNotRead(const RunReport& report) {
  int64_t outside = 0;
  int64_t skipped = 0;
  for (const ViewReport& view : report.views) {
    outside += view.job.rows.pruned - view.job.rows.skipped;
    skipped += view.job.rows.skipped;
  }
  std::string text;
  if (outside > 0) {
    text += fmt::format("Not read, since their row groups lie outside the window: {} rows.\n",
                        WithThousands(outside));
  }
  if (skipped > 0) {
    text += fmt::format(
        "Not read, since none of their rows can be newest (banquet.skip_row_groups): {} rows.\n",
        WithThousands(skipped));
  }
  return text;
}

}  // namespace

std::string NamedError(const ViewReport& view) {
  const std::string message = MessageOf(view.error);
  const std::string name = "view " + view.name;
  if (!message.starts_with(name)) return view.name + ": " + message;
  for (const std::string_view separator : {", ", ": "}) {
    if (message.substr(name.size()).starts_with(separator))
      return view.name + ": " + message.substr(name.size() + separator.size());
  }
  return view.name + ": " + message;
}

std::vector<Count> Fates(const RowCounts& rows) {
  return {{"outside_window", rows.outside_window}, {"null_key", rows.null_key},
          {"null_time", rows.null_time},           {"duplicates", rows.duplicates},
          {"quarantined", rows.quarantined},       {"winners", rows.winners}};
}

std::vector<Count> Outcomes(const StoreReport& store) {
  return {{"written", store.written},
          {"stale", store.stale},
          {"unchanged", store.unchanged},
          {"undecided", store.undecided}};
}

RunReport MakeRunReport(const std::vector<std::shared_ptr<MaterializationJob>>& jobs,
                        std::vector<std::string> warnings, const Status& run_error, int signal,
                        double seconds) {
  RunReport report;
  std::random_device random;
  report.job_id = fmt::format("{:08x}{:08x}", random(), random());
  report.warnings = std::move(warnings);
  report.warnings_told = report.warnings.size();
  report.error = run_error;
  report.exit_code = ExitCodeOf(run_error);
  for (const auto& job : jobs) {
    ViewReport& view = report.views.emplace_back();
    view.name = job->task().view.name;
    view.status = job->status();
    view.error = job->error();
    const bool is_stopped = signal != 0 && view.status == JobStatus::kCancelled;
    view.exit_code = is_stopped ? 128 + signal : ExitCodeOf(view.error);
    view.window = job->task().window;
    view.url = job->url();
    view.job = job->report();
    view.fresh_until_us = FreshUntil(job->task(), view.status == JobStatus::kSucceeded);
    for (const std::string& warning : job->warnings())
      report.warnings.push_back(view.name + ": " + warning);
    if (ExitCodeOf(view.error) > report.exit_code) {
      report.exit_code = ExitCodeOf(view.error);
      report.error = view.error.WithMessage(NamedError(view));
    }
  }
  report.status = report.exit_code == 0 ? "SUCCEEDED" : "ERROR";
  if (signal != 0 && report.exit_code != 0) {
    report.status = "CANCELLED";
    report.exit_code = 128 + signal;
  }
  report.seconds = seconds;
  report.ended_us = SystemClock().NowUs();
  report.peak_memory_bytes = PeakMemoryBytes();
  return report;
}

std::string ReportAsTable(const RunReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"VIEW", "STATUS", "READ", "OUTSIDE", "NULL KEY", "NULL TIME", "DUPLICATES", "WINNERS",
       "STORE", "WRITTEN", "STALE", "UNCHANGED", "UNDECIDED", "TIME"}};
  for (const ViewReport& view : report.views) {
    const RowCounts& counts = view.job.rows;
    std::vector<std::string> row = {Shortened(view.name, kNameWidthMax),
                                    std::string(NameOf(view.status))};
    for (int64_t count : {counts.read, counts.outside_window, counts.null_key, counts.null_time,
                          counts.duplicates, counts.winners}) {
      row.push_back(WithThousands(count));
    }
    const std::string time = FormatSeconds(view.job.seconds);
    if (view.job.stores.empty()) {
      row.insert(row.end(), {"-", "0", "0", "0", "0", time});
      rows.push_back(std::move(row));
      continue;
    }
    for (const StoreReport& store : view.job.stores) {
      std::vector<std::string> line = row;
      line.push_back(Shortened(store.name, kNameWidthMax));
      for (const Count& outcome : Outcomes(store)) line.push_back(WithThousands(outcome.value));
      line.push_back(time);
      rows.push_back(std::move(line));
    }
  }
  std::string text = FormatTable(rows, {false, false, true, true, true, true, true, true, false,
                                        true, true, true, true, true});
  text += WhatWasNotRead(report);
  text += fmt::format("{} in {}, peak memory {} MiB.\n", report.status,
                      FormatSeconds(report.seconds), report.peak_memory_bytes >> 20);
  return text;
}

std::string ReportAsJson(const RunReport& report) {
  auto views = Json::array();
  for (const ViewReport& view : report.views) {
    auto stores = Json::array();
    for (const StoreReport& store : view.job.stores) stores.push_back(JsonOfStore(store));
    views.push_back({{"name", view.name},
                     {"status", NameOf(view.status)},
                     {"error", TextOrNull(MessageOf(view.error))},
                     {"exit_code", view.exit_code},
                     {"window",
                      {{"start", FormatRfc3339(view.window.start_us)},
                       {"end", FormatRfc3339(view.window.end_us)}}},
                     {"url", TextOrNull(view.url)},
                     {"rows", JsonOfRows(view.job.rows)},
                     {"stores", stores},
                     {"bytes_read", view.job.bytes_read},
                     {"seconds", view.job.seconds}});
  }
  const Json object = {{"job_id", report.job_id},
                       {"status", report.status},
                       {"error", TextOrNull(MessageOf(report.error))},
                       {"warnings", report.warnings},
                       {"seconds", report.seconds},
                       {"peak_memory_bytes", report.peak_memory_bytes},
                       {"views", views}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace banquet
