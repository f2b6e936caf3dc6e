#pragma once
// Writes rows in transactions, so that nobody else's write comes between a row's check and its own.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/row_frames.h"
#include "banquet/online/redis/row_replies.h"
#include "banquet/online/redis/write_chunk.h"

namespace banquet::redis {

// Per group of rows: WATCH keys, HMGET of each, MULTI, HSETs, EXEC. A group is checked while the
// one before is written. Borrows its parts. When Write is called and when it has returned OK no
// command is unanswered on the connection.
class WatchGroups {
 public:
  // In a cluster a transaction's keys must be of one slot: most groups are a single row then.
  WatchGroups(Connection* connection, const RowFrames* frames, RowReplies* replies,
              Topology topology)
      : connection_(connection), frames_(frames), replies_(replies), topology_(topology) {}

  // Rows of a group that another client touched are noted as refused.
  Status Write(WriteChunk* chunk, std::span<const uint32_t> places);

  // May a transaction of which no outcome is known still be executed?
  bool is_unanswered() const { return closing_ == "EXEC"; }

 private:
  Status WriteGroup(WriteChunk* chunk, std::span<const uint32_t> group);
  Status WriteBySlot(WriteChunk* chunk, std::span<const uint32_t> places);
  void PutChecks(const WriteChunk& chunk, std::span<const uint32_t> places);
  Status TakeChecks(WriteChunk* chunk, std::span<const uint32_t> places);
  Result<bool> TakeOk(std::string_view command, WriteChunk* chunk,
                      std::span<const uint32_t> places);
  // Of the transaction that was closed last.
  Status TakeOutcome(WriteChunk* chunk);
  Status TakeQueued(WriteChunk* chunk);
  Status TakeExec(WriteChunk* chunk);

  Connection* const connection_;
  const RowFrames* const frames_;
  RowReplies* const replies_;
  const Topology topology_;
  std::vector<SentCommand> sent_;  // Of that transaction.
  std::string_view closing_;       // EXEC, DISCARD or UNWATCH, unanswered; empty: none.
};

}  // namespace banquet::redis
