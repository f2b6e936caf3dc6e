#pragma once
// Writes rows in one transaction, so that nobody else's write comes between their check and theirs.

#include <cstdint>
#include <span>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/row_frames.h"
#include "banquet/online/redis/row_replies.h"
#include "banquet/online/redis/write_chunk.h"

namespace banquet::redis {

// WATCH keys, HMGET of each, MULTI, HSETs, EXEC. Borrows its parts. No other command may be
// unanswered on the connection.
class WatchGroup {
 public:
  WatchGroup(Connection* connection, const RowFrames* frames, RowReplies* replies)
      : connection_(connection), frames_(frames), replies_(replies) {}

  // Rows of a group that another client touched are noted as refused.
  Status Write(WriteChunk* chunk, std::span<const uint32_t> places);

  // May a transaction of which no outcome is known still be executed?
  bool is_unanswered() const { return is_unanswered_; }

 private:
  Status TakeChecks(WriteChunk* chunk, std::span<const uint32_t> places);
  Result<bool> TakeOk(std::string_view command, WriteChunk* chunk,
                      std::span<const uint32_t> places);
  Status Execute(WriteChunk* chunk);

  Connection* const connection_;
  const RowFrames* const frames_;
  RowReplies* const replies_;
  std::vector<SentCommand> sent_;
  bool is_unanswered_ = false;
};

}  // namespace banquet::redis
