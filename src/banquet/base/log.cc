#include "banquet/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "banquet/base/option_table.h"

namespace banquet {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("banquet",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *logger;
}

std::mutex record_mutex;
std::optional<std::vector<std::string>> recorded_warnings;  // While a WarningRecord lives.

void Keep(const std::string& warning) {
  std::lock_guard lock(record_mutex);
  if (!recorded_warnings.has_value()) return;
  if (std::ranges::find(*recorded_warnings, warning) != recorded_warnings->end()) return;
  recorded_warnings->push_back(warning);
}

}  // namespace

Result<LogLevel> ParseLogLevel(const std::string& word) {
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warning" || word == "warn") return LogLevel::kWarning;
  if (word == "error") return LogLevel::kError;
  if (word == "off") return LogLevel::kOff;
  static const std::vector<std::string> kWords = {"debug", "info", "warning", "error", "off"};
  return UserError("--log-level: write debug, info, warning, error or off, not '{}'.{}", word,
                   DidYouMean(word, kWords));
}

void SetLogLevel(LogLevel level) { Logger().set_level(SpdlogLevel(level)); }

void Log(LogLevel level, const std::string& text) {
  if (level == LogLevel::kWarning) Keep(text);
  Logger().log(SpdlogLevel(level), text);
}

WarningRecord::WarningRecord() {
  std::lock_guard lock(record_mutex);
  recorded_warnings.emplace();
}

WarningRecord::~WarningRecord() {
  std::lock_guard lock(record_mutex);
  recorded_warnings.reset();
}

std::vector<std::string> WarningRecord::texts() const {
  std::lock_guard lock(record_mutex);
  return *recorded_warnings;
}

}  // namespace banquet
