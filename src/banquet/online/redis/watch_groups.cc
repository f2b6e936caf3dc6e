#include "banquet/online/redis/watch_groups.h"

#include <algorithm>
#include <utility>

#include "banquet/online/redis/cluster_slots.h"

namespace banquet::redis {
namespace {

constexpr size_t kGroupRowsMax = 125;  // Of one transaction.

// The transaction was dropped because a command of it was refused for now.
bool IsAbort(const Reply& reply, const WriteChunk& chunk, const std::vector<SentCommand>& sent) {
  return reply.IsError() && reply.text().starts_with("EXECABORT") &&
         std::ranges::any_of(sent, [&chunk](const SentCommand& command) {
           return chunk.refused[command.place] != 0;
         });
}

}  // namespace

Status WatchGroups::Write(WriteChunk* chunk, std::span<const uint32_t> places) {
  if (topology_ == Topology::kCluster) return WriteBySlot(chunk, places);
  for (size_t first = 0; first < places.size(); first += kGroupRowsMax) {
    BANQUET_RETURN_NOT_OK(
        WriteGroup(chunk, places.subspan(first, std::min(kGroupRowsMax, places.size() - first))));
  }
  return TakeOutcome(chunk);
}

Status WatchGroups::WriteBySlot(WriteChunk* chunk, std::span<const uint32_t> places) {
  std::vector<std::pair<uint16_t, uint32_t>> by_slot;
  for (const uint32_t place : places) {
    by_slot.emplace_back(SlotOf(frames_->RedisKeyOf(chunk->KeyOf(place))), place);
  }
  std::ranges::sort(by_slot);
  std::vector<uint32_t> group;
  for (size_t i = 0; i < by_slot.size(); ++i) {
    group.push_back(by_slot[i].second);
    const bool goes_on = i + 1 < by_slot.size() && by_slot[i + 1].first == by_slot[i].first;
    if (goes_on && group.size() < kGroupRowsMax) continue;
    BANQUET_RETURN_NOT_OK(WriteGroup(chunk, group));
    group.clear();
  }
  return TakeOutcome(chunk);
}

Status WatchGroups::WriteGroup(WriteChunk* chunk, std::span<const uint32_t> group) {
  PutChecks(*chunk, group);
  connection_->Push();
  BANQUET_RETURN_NOT_OK(TakeOutcome(chunk));
  return TakeChecks(chunk, group);
}

void WatchGroups::PutChecks(const WriteChunk& chunk, std::span<const uint32_t> places) {
  CommandBuffer* out = connection_->commands();
  frames_->PutWatchHead(places.size(), out);
  for (const uint32_t place : places) frames_->PutWatchKey(chunk.KeyOf(place), out);
  for (const uint32_t place : places) frames_->PutCheck(chunk.KeyOf(place), out);
  out->Command({"MULTI"});
}

// Puts the writes of the rows that pass, and what closes the transaction.
Status WatchGroups::TakeChecks(WriteChunk* chunk, std::span<const uint32_t> places) {
  BANQUET_ASSIGN_OR_RETURN(const bool watched, TakeOk("WATCH", chunk, places));
  for (const uint32_t place : places) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    BANQUET_RETURN_NOT_OK(replies_->TakeTimes(*reply, place, chunk).status());
  }
  // Writes follow only once the transaction is surely open.
  BANQUET_ASSIGN_OR_RETURN(const bool opened, TakeOk("MULTI", chunk, places));
  CommandBuffer* out = connection_->commands();
  sent_.clear();
  if (watched && opened) {
    for (const uint32_t place : places) {
      if (chunk->Wants(place, frames_->views())) chunk->PutHset(place, *frames_, out, &sent_);
    }
  }
  closing_ = !sent_.empty() ? "EXEC" : opened ? "DISCARD" : "UNWATCH";
  out->Command({closing_});
  return Status::OK();
}

// +OK is true; a refusal for now is false and refuses every row of the group.
Result<bool> WatchGroups::TakeOk(std::string_view command, WriteChunk* chunk,
                                 std::span<const uint32_t> places) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
  if (reply->IsStatus("OK")) return true;
  if (!reply->IsError()) return replies_->Unexpected(command);
  for (const uint32_t place : places) {
    BANQUET_RETURN_NOT_OK(replies_->TakeRefusal(reply->text(), command, place, chunk));
  }
  return false;
}

Status WatchGroups::TakeOutcome(WriteChunk* chunk) {
  if (closing_.empty()) return Status::OK();
  if (closing_ == "EXEC") {
    BANQUET_RETURN_NOT_OK(TakeQueued(chunk));
    return TakeExec(chunk);
  }
  const std::string_view command = std::exchange(closing_, {});
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
  return reply->IsStatus("OK") ? Status::OK() : replies_->Unexpected(command);
}

Status WatchGroups::TakeQueued(WriteChunk* chunk) {
  for (const SentCommand& command : sent_) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    if (reply->IsStatus("QUEUED")) continue;
    if (!reply->IsError()) return replies_->Unexpected(NameOf(command.kind));
    BANQUET_RETURN_NOT_OK(
        replies_->TakeRefusal(reply->text(), NameOf(command.kind), command.place, chunk));
  }
  return Status::OK();
}

Status WatchGroups::TakeExec(WriteChunk* chunk) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
  closing_ = {};
  if (reply->kind() == ReplyKind::kNil || IsAbort(*reply, *chunk, sent_)) {
    // Somebody wrote one of the keys, or a command was refused for now: nothing was written.
    for (const SentCommand& command : sent_) chunk->refused[command.place] = 1;
    return Status::OK();
  }
  if (reply->IsError()) {
    for (const SentCommand& command : sent_) {
      BANQUET_RETURN_NOT_OK(replies_->TakeRefusal(reply->text(), "EXEC", command.place, chunk));
    }
    return Status::OK();
  }
  if (!reply->IsFlatArray(static_cast<int64_t>(sent_.size()))) return replies_->Unexpected("EXEC");
  for (size_t i = 0; i < sent_.size(); ++i) {
    BANQUET_RETURN_NOT_OK(replies_->TakeWrite(*reply, i + 1, sent_[i], chunk));
  }
  return Status::OK();
}

}  // namespace banquet::redis
