#include "banquet/cli/run_metrics.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "banquet/client/filesystem/atomic_file.h"
#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet {
namespace {

// A label value: backslash, quote and newline escaped.
std::string Label(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void AddHead(std::string_view name, std::string_view meaning, std::string* text) {
  *text += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, meaning);
}

// A metric of the whole run.
template <typename Number>
void AddSample(std::string_view name, std::string_view meaning, Number value, std::string* text) {
  AddHead(name, meaning, text);
  *text += fmt::format("{} {}\n", name, value);
}

void AddRowsOf(const RunReport& report, std::string* text) {
  AddHead("banquet_rows", "Rows of the last run by what became of them.", text);
  for (const ViewReport& view : report.views) {
    for (const Count& fate : Fates(view.job.rows)) {
      *text += fmt::format("banquet_rows{{view=\"{}\",fate=\"{}\"}} {}\n", Label(view.name),
                           fate.name, fate.value);
    }
  }
  AddHead("banquet_store_rows", "Winners of the last run by what the store did with them.", text);
  for (const ViewReport& view : report.views) {
    for (const StoreReport& store : view.job.stores) {
      for (const Count& outcome : Outcomes(store)) {
        *text += fmt::format("banquet_store_rows{{view=\"{}\",store=\"{}\",outcome=\"{}\"}} {}\n",
                             Label(view.name), Label(store.name), outcome.name, outcome.value);
      }
    }
  }
}

void AddViewsOf(const RunReport& report, std::string* text) {
  AddHead("banquet_view_seconds", "Time that the view took.", text);
  for (const ViewReport& view : report.views) {
    *text +=
        fmt::format("banquet_view_seconds{{view=\"{}\"}} {}\n", Label(view.name), view.job.seconds);
  }
  AddHead("banquet_view_success", "1 if the view's last run succeeded.", text);
  for (const ViewReport& view : report.views) {
    *text += fmt::format("banquet_view_success{{view=\"{}\"}} {}\n", Label(view.name),
                         view.status == JobStatus::kSucceeded ? 1 : 0);
  }
  AddHead("banquet_view_fresh_until_timestamp_seconds",
          "Latest end of the intervals that the registry records for the view.", text);
  for (const ViewReport& view : report.views) {
    if (!view.fresh_until_us.has_value()) continue;
    *text += fmt::format("banquet_view_fresh_until_timestamp_seconds{{view=\"{}\"}} {:.6f}\n",
                         Label(view.name), static_cast<double>(*view.fresh_until_us) / 1e6);
  }
}

// What is there already and is neither to be renamed over nor synced.
bool IsSpecialFile(const std::string& path) {
  struct stat existing {};
  return ::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode);
}

Status WriteThrough(const std::string& path, std::string_view content) {
  const OpenedFile opened = OpenFile(path, O_WRONLY);
  if (!opened.file.is_open()) return ErrnoStatus(opened.error, "Cannot open " + path);
  while (!content.empty()) {
    const ssize_t put = ::write(opened.file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "Cannot write " + path);
    content.remove_prefix(static_cast<size_t>(put));
  }
  return Status::OK();
}

}  // namespace

std::string ReportAsMetrics(const RunReport& report) {
  std::string text;
  AddRowsOf(report, &text);
  AddViewsOf(report, &text);
  AddSample("banquet_run_success", "1 if the last run succeeded as a whole.",
            report.exit_code == 0 ? 1 : 0, &text);
  AddSample("banquet_run_timestamp_seconds", "End of the last run.", report.ended_us / 1'000'000,
            &text);
  AddSample("banquet_run_seconds", "Time of the whole run.", report.seconds, &text);
  AddSample("banquet_peak_memory_bytes", "Peak resident memory.", report.peak_memory_bytes, &text);
  return text;
}

Status CheckMetricsPath(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return UserError("--metrics-file names a folder; name a file in it: {}", path);
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return Status::OK();
  return UserError("The folder of --metrics-file does not exist; make it or name another: {}",
                   folder.string());
}

Status WriteMetrics(const std::string& path, const RunReport& report) {
  const std::string text = ReportAsMetrics(report);
  const Status status = IsSpecialFile(path) ? WriteThrough(path, text) : ReplaceFile(path, text);
  return Annotate(status, "The metrics (--metrics-file) could not be written");
}

}  // namespace banquet
