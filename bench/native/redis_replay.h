#pragma once
// Sends prepared bytes to a Redis server as fast as it takes them: the ceiling of every writer.

#include <cstdint>
#include <string>
#include <vector>

#include "banquet/base/status.h"

namespace banquet::bench {

struct ReplayResult {
  double seconds = 0;  // From the first byte to the last reply.
  uint64_t sent_bytes = 0;
  uint64_t reply_bytes = 0;
  uint64_t error_replies = 0;  // At least so many replies begin with a minus.
};

// One connection to 127.0.0.1 for each stream of commands, all at once; replies are read and not
// waited for.
Result<ReplayResult> Replay(const std::vector<std::string>& streams, int port);

}  // namespace banquet::bench
