#pragma once
// What the replies to a row's commands mean for the row and for the run.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "banquet/base/status.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/resp.h"
#include "banquet/online/redis/restore_terms.h"
#include "banquet/online/redis/row_frames.h"
#include "banquet/online/redis/server_watch.h"
#include "banquet/online/redis/write_chunk.h"

namespace banquet::redis {

// Judges replies for one writer. Borrows all but the server's name. A status that is not OK ends
// the writer; a row refused for now is noted in its chunk.
class RowReplies {
 public:
  struct Parts {
    std::string server;
    Topology topology = Topology::kSingle;
    const RowFrames* frames = nullptr;
    ServerWatch* watch = nullptr;
    RestoreTerms* terms = nullptr;
  };
  explicit RowReplies(Parts parts)
      : server_(std::move(parts.server)),
        topology_(parts.topology),
        frames_(parts.frames),
        watch_(parts.watch),
        terms_(parts.terms) {}

  // HMGET: sets the row's verdicts. True: no time of these views is stored.
  Result<bool> TakeTimes(const Reply& reply, uint32_t place, WriteChunk* chunk);
  // RESTORE. False: the key exists, or the server takes no RESTORE; noted as `exists`.
  Result<bool> TakeRestore(const Reply& reply, uint32_t place, WriteChunk* chunk);
  // TTL of a row that is stored already. True: its key never expires, and EXPIRE is to follow.
  Result<bool> TakeTtl(const Reply& reply, uint32_t place, WriteChunk* chunk);
  // HSET or EXPIRE, the part `part` of a reply.
  Status TakeWrite(const Reply& reply, size_t part, const SentCommand& command, WriteChunk* chunk);
  // An error reply; OK where the row may simply be written later.
  Status TakeRefusal(std::string_view error, std::string_view command, uint32_t place,
                     WriteChunk* chunk);
  Status Unexpected(std::string_view command) const;

  // The first refusal for now since the last call; OK: none.
  Status TakeFirstRefusal() { return std::exchange(first_refusal_, Status::OK()); }

 private:
  const std::string server_;
  const Topology topology_;
  const RowFrames* const frames_;
  ServerWatch* const watch_;
  RestoreTerms* const terms_;
  Status first_refusal_;
};

}  // namespace banquet::redis
