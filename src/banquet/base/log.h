#pragma once
// The log: lines on standard error for those who operate Banquet. Never holds a secret or a row's
// values.

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// "debug", "info", "warning", "error", "off". The default is warning.
Result<LogLevel> ParseLogLevel(const std::string& word);
void SetLogLevel(LogLevel level);
void Log(LogLevel level, const std::string& text);

// What LogWarning tells while this lives, each text once, whether the log shows it or not: for a
// run's report. At most one lives at a time. Safe to share between threads.
class WarningRecord {
 public:
  WarningRecord();
  ~WarningRecord();
  WarningRecord(const WarningRecord&) = delete;
  WarningRecord& operator=(const WarningRecord&) = delete;
  std::vector<std::string> texts() const;
};

template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace banquet
