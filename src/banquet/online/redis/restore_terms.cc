#include "banquet/online/redis/restore_terms.h"

#include <charconv>
#include <optional>

#include "banquet/base/log.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

constexpr int kOldestMajor = 7;  // The first that reads RDB version 10 and hashes as listpacks.

std::optional<size_t> NumberIn(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

// nullopt: not told.
std::optional<size_t> MajorOf(std::string_view info) {
  constexpr std::string_view kName = "\nredis_version:";
  const size_t at = info.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  return NumberIn(info.substr(at + kName.size()));
}

// The server refused for now, so that another connection or time may do.
bool MayTryAgain(std::string_view error) {
  const ReplyFate fate = RuleOf(error).fate;
  return fate == ReplyFate::kAgain || fate == ReplyFate::kReconnect;
}

Result<std::optional<size_t>> AskMajor(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"INFO", "server"}));
  if (reply->IsError() && MayTryAgain(reply->text())) {
    return ErrorOfReply(reply->text(), connection->server(), "INFO");
  }
  if (reply->kind() != ReplyKind::kBulk) return std::nullopt;
  return MajorOf(reply->text());
}

// What is not told is as Redis has it by default.
Result<ListpackLimits> AskLimits(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply,
                           connection->Call({"CONFIG", "GET", "hash-max-listpack-*"}));
  if (reply->IsError() && MayTryAgain(reply->text())) {
    return ErrorOfReply(reply->text(), connection->server(), "CONFIG GET");
  }
  ListpackLimits limits;
  for (size_t i = 1; i + 1 < reply->size(); i += 2) {
    const std::string_view name = reply->text(i);
    const std::optional<size_t> number = NumberIn(reply->text(i + 1));
    if (!number.has_value()) continue;
    if (name == "hash-max-listpack-entries") limits.fields_max = *number;
    if (name == "hash-max-listpack-value") limits.word_bytes_max = *number;
  }
  return limits;
}

}  // namespace

Status RestoreTerms::Ask(Connection* connection) {
  std::lock_guard lock(mutex_);
  if (asked_ || !open_) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(const std::optional<size_t> major, AskMajor(connection));
  if (major.value_or(0) < kOldestMajor) {
    Close(connection->server() + " does not say that it is Redis 7.0 or later");
  } else {
    BANQUET_ASSIGN_OR_RETURN(limits_, AskLimits(connection));
  }
  asked_ = true;
  return Status::OK();
}

ListpackLimits RestoreTerms::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

void RestoreTerms::Close(std::string_view why) {
  if (open_.exchange(false)) LogInfo("New keys are written by HSET, not by RESTORE: {}", why);
}

}  // namespace banquet::redis
