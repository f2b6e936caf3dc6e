#pragma once
// What an error reply of Redis means for the run: one table for the code and
// its tests.

#include <span>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet::redis {

enum class ReplyFate {
  kAgain,      // This command, a little later; the connection is fine.
  kReconnect,  // Another connection may reach a server that takes it.
  kMemory,     // Once more after a wait, then fatal.
  kUser,       // Configuration, rights.
  kMoved,      // Another node of the cluster holds the key, or will in a moment.
  kFatal,
};

// Whether the server is spoken to as one of a cluster.
enum class Topology { kSingle, kCluster };

struct ReplyRule {
  std::string_view code;  // The error's first word, or a longer beginning of its text.
  ReplyFate fate;
  std::string_view advice;  // What to do; empty where the server's text says it.
};

std::span<const ReplyRule> ReplyRules();
// The longest rule that the text begins with; an unknown code is fatal.
const ReplyRule& RuleOf(std::string_view error);

// The error as a status: "redis at … refused HSET: OOM …; raise its maxmemory".
// The server's text is cut before it repeats arguments, and made printable.
// `key` is named in hex if not empty. A key that moved is the user's to mend where the server was
// taken for a single one.
Status ErrorOfReply(std::string_view error, std::string_view server, std::string_view command,
                    std::string_view key = {}, Topology topology = Topology::kSingle);

}  // namespace banquet::redis
