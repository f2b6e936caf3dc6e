#pragma once
// The log: lines on standard error for those who operate Banquet. Never holds a secret or a row's
// values.

#include <fmt/core.h>

#include <string>
#include <utility>

#include "banquet/base/status.h"

namespace banquet {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// "debug", "info", "warning", "error", "off". The default is warning.
Result<LogLevel> ParseLogLevel(const std::string& word);
void SetLogLevel(LogLevel level);
void Log(LogLevel level, const std::string& text);

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
