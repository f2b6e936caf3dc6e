#include "banquet/online/redis/watch_group.h"

#include <algorithm>

namespace banquet::redis {
namespace {

// The transaction was dropped because a command of it was refused for now.
bool IsAbort(const Reply& reply, const WriteChunk& chunk, const std::vector<SentCommand>& sent) {
  return reply.IsError() && reply.text().starts_with("EXECABORT") &&
         std::ranges::any_of(sent, [&chunk](const SentCommand& command) {
           return chunk.refused[command.place] != 0;
         });
}

}  // namespace

Status WatchGroup::Write(WriteChunk* chunk, std::span<const uint32_t> places) {
  CommandBuffer* out = connection_->commands();
  frames_->PutWatchHead(places.size(), out);
  for (const uint32_t place : places) frames_->PutWatchKey(chunk->KeyOf(place), out);
  for (const uint32_t place : places) frames_->PutCheck(chunk->KeyOf(place), out);
  out->Command({"MULTI"});
  BANQUET_ASSIGN_OR_RETURN(const bool watched, TakeOk("WATCH", chunk, places));
  BANQUET_RETURN_NOT_OK(TakeChecks(chunk, places));
  // Writes follow only once the transaction is surely open.
  BANQUET_ASSIGN_OR_RETURN(const bool opened, TakeOk("MULTI", chunk, places));
  sent_.clear();
  if (watched && opened) {
    for (const uint32_t place : places) {
      if (chunk->Wants(place, frames_->views())) chunk->PutHset(place, *frames_, out, &sent_);
    }
  }
  if (!sent_.empty()) return Execute(chunk);
  const std::string_view command = opened ? "DISCARD" : "UNWATCH";
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Call({command}));
  return reply->IsStatus("OK") ? Status::OK() : replies_->Unexpected(command);
}

Status WatchGroup::TakeChecks(WriteChunk* chunk, std::span<const uint32_t> places) {
  for (const uint32_t place : places) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    BANQUET_RETURN_NOT_OK(replies_->TakeTimes(*reply, place, chunk).status());
  }
  return Status::OK();
}

// +OK is true; a refusal for now is false and refuses every row of the group.
Result<bool> WatchGroup::TakeOk(std::string_view command, WriteChunk* chunk,
                                std::span<const uint32_t> places) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
  if (reply->IsStatus("OK")) return true;
  if (!reply->IsError()) return replies_->Unexpected(command);
  for (const uint32_t place : places) {
    BANQUET_RETURN_NOT_OK(replies_->TakeRefusal(reply->text(), command, place, chunk));
  }
  return false;
}

Status WatchGroup::Execute(WriteChunk* chunk) {
  connection_->commands()->Command({"EXEC"});
  is_unanswered_ = true;
  for (const SentCommand& command : sent_) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    if (reply->IsStatus("QUEUED")) continue;
    if (!reply->IsError()) return replies_->Unexpected(NameOf(command.kind));
    BANQUET_RETURN_NOT_OK(
        replies_->TakeRefusal(reply->text(), NameOf(command.kind), command.place, chunk));
  }
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
  is_unanswered_ = false;
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
