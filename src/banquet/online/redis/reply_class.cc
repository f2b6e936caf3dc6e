#include "banquet/online/redis/reply_class.h"

#include <fmt/format.h>

#include <algorithm>

#include "banquet/base/hex_text.h"

namespace banquet::redis {
namespace {

constexpr size_t kTextBytesMax = 160;  // Of a server's text in our messages.
constexpr std::chrono::milliseconds kMemoryWait{1000};
constexpr std::string_view kCluster =
    "the server is a node of a cluster; set redis_type: redis_cluster";

constexpr ReplyRule kRules[] = {
    {"LOADING", ReplyFate::kAgain, ""},
    {"BUSY", ReplyFate::kAgain, ""},
    {"TRYAGAIN", ReplyFate::kAgain, ""},
    {"CLUSTERDOWN", ReplyFate::kAgain, ""},
    {"MASTERDOWN", ReplyFate::kAgain, ""},
    {"NOREPLICAS", ReplyFate::kAgain, ""},
    {"READONLY", ReplyFate::kReconnect, "connection_string must name the primary, not a replica"},
    {"ERR max number of clients reached", ReplyFate::kReconnect, "raise its maxclients"},
    {"OOM", ReplyFate::kMemory, "raise its maxmemory"},
    {"MOVED", ReplyFate::kMoved, kCluster},
    {"ASK", ReplyFate::kMoved, kCluster},
    {"CROSSSLOT", ReplyFate::kMoved, kCluster},
    {"NOAUTH", ReplyFate::kUser, "add password=… to connection_string"},
    {"WRONGPASS", ReplyFate::kUser, "mend username and password in connection_string"},
    {"NOPERM", ReplyFate::kUser, "grant the user this command and key (docs/formats/redis.md)"},
    {"DENIED", ReplyFate::kUser, "set a password there and in connection_string"},
    {"ERR operation not permitted", ReplyFate::kUser, "add password=… to connection_string"},
    {"ERR DB index is out of range", ReplyFate::kUser, "mend db=… in connection_string"},
    {"ERR SELECT is not allowed in cluster mode", ReplyFate::kUser, kCluster},
    {"WRONGTYPE", ReplyFate::kUser, "the key holds something else than a hash; remove it"},
    {"MISCONF", ReplyFate::kFatal, "the server cannot save its data; mend that first"},
    {"ERR", ReplyFate::kFatal, ""},
    {"EXECABORT", ReplyFate::kFatal, ""},
};
constexpr ReplyRule kUnknown = {"", ReplyFate::kFatal, ""};

std::string Printable(std::string_view text) {
  text = text.substr(0, std::min(kTextBytesMax, text.find(", with args")));
  std::string shown(text);
  for (char& letter : shown) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return shown;
}

}  // namespace

std::span<const ReplyRule> ReplyRules() { return kRules; }

const ReplyRule& RuleOf(std::string_view error) {
  const ReplyRule* found = &kUnknown;
  for (const ReplyRule& rule : kRules) {
    if (!error.starts_with(rule.code) || rule.code.size() <= found->code.size()) continue;
    const bool is_word = rule.code.find(' ') == std::string_view::npos;
    if (is_word && error.size() > rule.code.size() && error[rule.code.size()] != ' ') {
      continue;  // BUSY is not the beginning of BUSYKEY.
    }
    found = &rule;
  }
  return *found;
}

Status ErrorOfReply(std::string_view error, std::string_view server, std::string_view command,
                    std::string_view key, Topology topology) {
  const ReplyRule& rule = RuleOf(error);
  if (rule.fate == ReplyFate::kMoved && topology == Topology::kCluster) {
    return RemoteError({.retryable = true}, "{} refused {}: {}", server, command, Printable(error));
  }
  const std::string message = fmt::format("{} refused {}: {}{}{}{}{}", server, command,
                                          Printable(error), rule.advice.empty() ? "" : "; ",
                                          rule.advice, key.empty() ? "" : "; key ", HexOf(key));
  switch (rule.fate) {
    case ReplyFate::kAgain:
    case ReplyFate::kReconnect:
      return RemoteError({.retryable = true}, "{}", message);
    case ReplyFate::kMemory:
      return RemoteError({.retryable = true, .after = kMemoryWait}, "{}", message);
    case ReplyFate::kMoved:
    case ReplyFate::kUser:
      return UserError("{}", message);
    case ReplyFate::kFatal:
      break;
  }
  return RemoteError({}, "{}", message);
}

}  // namespace banquet::redis
