#include "banquet/engine/spark/spark_failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string_view>

namespace banquet {
namespace {

constexpr std::string_view kSinkWords = "BANQUET-SINK exit ";

// The line that says most.
std::string WhatWentWrong(const std::vector<std::string>& lines) {
  for (const std::string_view word :
       {"Cannot run program ", "Caused by: ", "Exception: ", "Error: ", "ERROR", "Exception"}) {
    const auto line = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& one) {
      return one.find(word) != std::string::npos;
    });
    if (line != lines.rend()) return *line;
  }
  return lines.empty() ? "it printed nothing" : lines.back();
}

bool IsTheUsers(const std::string& condition) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{
          "REFUSED", "PATH_NOT_FOUND", "TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "UNRESOLVED_",
          "PARSE_", "DATA_SOURCE_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "DATATYPE_MISMATCH",
          "CAST_INVALID_INPUT", "CANNOT_PARSE_", "DIVIDE_BY_ZERO", "ARITHMETIC_OVERFLOW",
          "AMBIGUOUS_", "MISSING_GROUP_BY", "UNSUPPORTED_", "REQUIRES_SINGLE_PART_NAMESPACE"},
      [&](std::string_view begins) { return condition.starts_with(begins); });
}

}  // namespace

std::optional<SinkFailure> FindSinkFailure(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const size_t begin = line.find(kSinkWords);
    if (begin == std::string::npos) continue;
    const std::string_view rest = std::string_view(line).substr(begin + kSinkWords.size());
    SinkFailure failure;
    const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), failure.exit_code);
    const size_t colon = rest.find(": ");
    if (end.ec != std::errc() || colon == std::string_view::npos) continue;
    failure.message = rest.substr(colon + 2);
    constexpr std::string_view kOurs = "banquet: ";
    if (failure.message.starts_with(kOurs)) failure.message.erase(0, kOurs.size());
    return failure;
  }
  return std::nullopt;
}

Status SparkFailure(const std::string& condition, const std::vector<std::string>& lines,
                    const std::string& log) {
  if (const auto sink = FindSinkFailure(lines)) {
    constexpr int kUser = 2;
    constexpr int kData = 3;
    const std::string text = fmt::format("A sink on an executor failed: {}{}", sink->message, log);
    if (sink->exit_code == kUser) return UserError("{}", text);
    if (sink->exit_code == kData) return DataError("{}", text);
    return RemoteError({}, "{}", text);
  }
  if (condition == "REFUSED") return UserError("{}{}", lines.empty() ? "" : lines.front(), log);
  if (std::ranges::any_of(lines, [](const std::string& line) {
        return line.find("BANQUET-NULL-KEY") != std::string::npos;
      })) {
    return DataError("A join key is null and banquet.on_null_key is fail{}", log);
  }
  if (IsTheUsers(condition))
    return UserError("The Spark job failed: {}{}", lines.empty() ? condition : lines.front(), log);
  return RemoteError({}, "The Spark job failed: {}{}", WhatWentWrong(lines), log);
}

}  // namespace banquet
