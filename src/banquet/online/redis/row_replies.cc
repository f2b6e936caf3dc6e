#include "banquet/online/redis/row_replies.h"

#include <optional>
#include <vector>

#include "banquet/base/hex_text.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {

Result<bool> RowReplies::TakeTimes(const Reply& reply, uint32_t place, WriteChunk* chunk) {
  if (reply.IsError()) {
    BANQUET_RETURN_NOT_OK(TakeRefusal(reply.text(), "HMGET", place, chunk));
    return false;
  }
  const std::vector<size_t>& guarded = frames_->guarded();
  if (!reply.IsFlatArray(static_cast<int64_t>(guarded.size()))) return Unexpected("HMGET");
  bool absent = true;
  for (size_t i = 0; i < guarded.size(); ++i) {
    std::optional<StoredTime> stored;
    if (reply.kind(i + 1) == ReplyKind::kBulk) {
      absent = false;
      Result<StoredTime> parsed = ParseTimestamp(reply.text(i + 1));
      if (!parsed.ok()) {
        return DataError(
            "{} holds a damaged event time (_ts field); remove the key and run again: {}", server_,
            HexOf(frames_->RedisKeyOf(chunk->KeyOf(place))));
      }
      stored = *parsed;
    } else if (reply.kind(i + 1) != ReplyKind::kNil) {
      return Unexpected("HMGET");
    }
    chunk->verdicts[place * frames_->views() + guarded[i]] =
        Judge(frames_->overwrite(guarded[i]), stored, chunk->batch->event_us[chunk->rows[place]]);
  }
  RestoreCounts& counts = chunk->counts;
  if (chunk->exists[place] != 0) {
    counts.tried_absent += absent ? 1 : 0;
  } else {
    ++counts.checked;
    counts.absent += absent ? 1 : 0;
  }
  return absent;
}

Result<bool> RowReplies::TakeRestore(const Reply& reply, uint32_t place, WriteChunk* chunk) {
  if (reply.IsStatus("OK")) {
    ++chunk->counts.tried;
    ++chunk->counts.made;
    return true;
  }
  if (!reply.IsError()) return Unexpected("RESTORE");
  const std::string_view error = reply.text();
  const bool is_there = error.starts_with("BUSYKEY");
  const std::string_view code = RuleOf(error).code;
  if (!is_there && code != "ERR" && code != "NOPERM") {
    BANQUET_RETURN_NOT_OK(TakeRefusal(error, "RESTORE", place, chunk));
    return false;
  }
  if (!is_there) terms_->Close(ErrorOfReply(error, server_, "RESTORE").message());
  ++chunk->counts.tried;
  chunk->exists[place] = 1;
  return false;
}

Result<bool> RowReplies::TakeTtl(const Reply& reply, uint32_t place, WriteChunk* chunk) {
  if (reply.IsError()) {
    // Who may not ask sets the time anew, so that no key is left without one.
    if (RuleOf(reply.text()).code == "NOPERM") return true;
    BANQUET_RETURN_NOT_OK(TakeRefusal(reply.text(), "TTL", place, chunk));
    return false;
  }
  if (reply.kind() != ReplyKind::kInteger) return Unexpected("TTL");
  constexpr int64_t kNoKey = -2;
  constexpr int64_t kNever = -1;
  if (reply.integer() == kNoKey) chunk->refused[place] = 1;  // It expired since it was read.
  return reply.integer() == kNever;
}

Status RowReplies::TakeWrite(const Reply& reply, size_t part, const SentCommand& command,
                             WriteChunk* chunk) {
  if (reply.kind(part) == ReplyKind::kError) {
    return TakeRefusal(reply.text(part), NameOf(command.kind), command.place, chunk);
  }
  if (reply.kind(part) != ReplyKind::kInteger) return Unexpected(NameOf(command.kind));
  // The key vanished between HSET and EXPIRE.
  if (command.kind == CommandKind::kExpire && reply.integer(part) == 0) {
    chunk->refused[command.place] = 1;
  }
  return Status::OK();
}

Status RowReplies::TakeRefusal(std::string_view error, std::string_view command, uint32_t place,
                               WriteChunk* chunk) {
  const ReplyFate fate = RuleOf(error).fate;
  const bool is_moved = fate == ReplyFate::kMoved && topology_ == Topology::kCluster;
  if (fate == ReplyFate::kAgain || is_moved) {
    chunk->refused[place] = 1;
    if (first_refusal_.ok()) first_refusal_ = ErrorOfReply(error, server_, command, {}, topology_);
    return Status::OK();
  }
  const std::string key =
      error.starts_with("WRONGTYPE") ? frames_->RedisKeyOf(chunk->KeyOf(place)) : std::string();
  const Status failure = ErrorOfReply(error, server_, command, key);
  if (fate == ReplyFate::kMemory && !watch_->TakeMemoryRetry()) {
    return RemoteError({}, "{}", failure.message());
  }
  return failure;
}

Status RowReplies::Unexpected(std::string_view command) const {
  return RemoteError({}, "{}: an unexpected reply to {}; is this a Redis server?", server_,
                     command);
}

}  // namespace banquet::redis
