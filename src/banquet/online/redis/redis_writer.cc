#include "banquet/online/redis/redis_writer.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/write_chunk.h"

namespace banquet::redis {
namespace {

constexpr size_t kChunkRowsMax = 1000;
constexpr size_t kStrictRowsMax = 125;      // Of one transaction.
constexpr size_t kChunkBytesMax = 4 << 20;  // On the average of the batch's rows.
constexpr size_t kStepsInFlight = 2;        // A check and the writes before it.

struct Step {
  enum class Kind { kCheck, kWrite };
  Kind kind;
  std::unique_ptr<WriteChunk> chunk;
};

size_t ChunkRowsMax(const EncodedBatch& batch, size_t most) {
  size_t bytes = batch.keys.data.size();
  for (const auto& view : batch.views) {
    for (const EncodedFeature& feature : view) bytes += feature.values.data.size();
  }
  const size_t row_bytes = bytes / std::max<size_t>(batch.rows, 1) + 1;
  return std::clamp<size_t>(kChunkBytesMax / row_bytes, 1, most);
}

class RedisWriter final : public OnlineWriter {
 public:
  RedisWriter(std::unique_ptr<Connection> connection, RowFrames frames, bool strict,
              ServerWatch* watch)
      : connection_(std::move(connection)),
        frames_(std::move(frames)),
        strict_(strict && !frames_.guarded().empty()),
        watch_(watch),
        bytes_told_(connection_->commands()->sent_total()) {}

  ~RedisWriter() override {
    if (writes_unanswered_ > 0) watch_->AddDeadWriter(connection_->id());
  }

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_RETURN_NOT_OK(failure_);
    if (batch->views.size() != frames_.views()) {
      return Bug("A batch has not the views of its writer: {} for {}", batch->views.size(),
                 frames_.views());
    }
    const size_t count = rows.Count(batch->rows);
    const size_t chunk_rows = ChunkRowsMax(*batch, strict_ ? kStrictRowsMax : kChunkRowsMax);
    for (size_t first = 0; first < count; first += chunk_rows) {
      const size_t size = std::min(chunk_rows, count - first);
      auto chunk = TakeChunk();
      chunk->Begin(batch, rows, first, size, frames_, LastCheck());
      failure_ = strict_ ? WriteGroup(std::move(chunk)) : Start(std::move(chunk));
      BANQUET_RETURN_NOT_OK(failure_);
    }
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    while (failure_.ok() && !steps_.empty()) failure_ = FinishStep();
    BANQUET_RETURN_NOT_OK(failure_);
    watch_->EndMemoryRetry();
    RowOutcomes outcomes = std::exchange(outcomes_, {});
    outcomes.bytes = static_cast<int64_t>(connection_->commands()->sent_total() - bytes_told_);
    bytes_told_ = connection_->commands()->sent_total();
    const std::string refusal = std::exchange(refusal_, {});
    const int64_t decided = outcomes.written + outcomes.stale + outcomes.unchanged;
    if (!refusal.empty() && decided == 0 && !outcomes.undecided.empty()) {
      // No row is given up by telling why instead of which.
      failure_ = ErrorOfReply(refusal, connection_->server(), refused_command_);
      return failure_;
    }
    return outcomes;
  }

 private:
  std::unique_ptr<WriteChunk> TakeChunk() {
    if (spare_.empty()) return std::make_unique<WriteChunk>();
    auto chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }

  // The chunk whose writes are not sent yet, so that the next check overtakes them.
  const WriteChunk* LastCheck() const {
    for (const Step& step : steps_) {
      if (step.kind == Step::Kind::kCheck) return step.chunk.get();
    }
    return nullptr;
  }

  // Sends the chunk's first commands; then finishes steps until few are in flight.
  Status Start(std::unique_ptr<WriteChunk> chunk) {
    if (frames_.guarded().empty()) {
      PutWrites(std::move(chunk));
    } else {
      for (const uint32_t row : chunk->rows) {
        frames_.PutCheck(chunk->batch->keys[row], connection_->commands());
      }
      steps_.push_back({.kind = Step::Kind::kCheck, .chunk = std::move(chunk)});
    }
    connection_->Push();
    // At most one check is open when the next one is sent: what is older is written by then.
    while (steps_.size() > kStepsInFlight || OpenChecks() > 1) BANQUET_RETURN_NOT_OK(FinishStep());
    return Status::OK();
  }

  int64_t OpenChecks() const { return std::ranges::count(steps_, Step::Kind::kCheck, &Step::kind); }

  Status FinishStep() {
    Step step = std::move(steps_.front());
    steps_.pop_front();
    if (step.kind == Step::Kind::kCheck) {
      BANQUET_RETURN_NOT_OK(TakeStoredTimes(step.chunk.get()));
      PutWrites(std::move(step.chunk));
      connection_->Push();
      return Status::OK();
    }
    for (const SentCommand& command : step.chunk->sent) {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
      --writes_unanswered_;
      BANQUET_RETURN_NOT_OK(TakeWriteReply(*reply, 0, command, step.chunk.get()));
    }
    Close(std::move(step.chunk));
    return Status::OK();
  }

  void Close(std::unique_ptr<WriteChunk> chunk) {
    chunk->Count(frames_.views(), &outcomes_);
    chunk->batch.reset();
    spare_.push_back(std::move(chunk));
  }

  void PutWrites(std::unique_ptr<WriteChunk> chunk) {
    for (size_t place = 0; place < chunk->rows.size(); ++place) {
      if (chunk->Wants(place, frames_.views())) {
        chunk->PutRow(place, frames_, connection_->commands());
      }
    }
    writes_unanswered_ += chunk->sent.size();
    steps_.push_back({.kind = Step::Kind::kWrite, .chunk = std::move(chunk)});
  }

  // Receives the stored times of a chunk and judges its rows.
  Status TakeStoredTimes(WriteChunk* chunk) {
    const auto fields = static_cast<int64_t>(frames_.guarded().size());
    for (size_t place = 0; place < chunk->rows.size(); ++place) {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
      if (reply->IsError()) {
        BANQUET_RETURN_NOT_OK(TakeRefusal(reply->text(), "HMGET", place, chunk));
        continue;
      }
      if (!reply->IsFlatArray(fields)) return Unexpected("HMGET");
      BANQUET_RETURN_NOT_OK(JudgeRow(*reply, place, chunk));
    }
    return Status::OK();
  }

  Status JudgeRow(const Reply& times, size_t place, WriteChunk* chunk) const {
    const uint32_t row = chunk->rows[place];
    for (size_t i = 0; i < frames_.guarded().size(); ++i) {
      std::optional<StoredTime> stored;
      if (times.kind(i + 1) == ReplyKind::kBulk) {
        Result<StoredTime> parsed = ParseTimestamp(times.text(i + 1));
        if (!parsed.ok()) {
          return DataError(
              "{} holds a damaged event time (_ts field); remove the key and run again: {}",
              connection_->server(), HexOf(frames_.RedisKeyOf(chunk->batch->keys[row])));
        }
        stored = *parsed;
      } else if (times.kind(i + 1) != ReplyKind::kNil) {
        return Unexpected("HMGET");
      }
      const size_t view = frames_.guarded()[i];
      chunk->verdicts[place * frames_.views() + view] = Judge(
          frames_.overwrite(view), stored, chunk->earlier_us[place], chunk->batch->event_us[row]);
    }
    return Status::OK();
  }

  Status TakeWriteReply(const Reply& reply, size_t part, const SentCommand& command,
                        WriteChunk* chunk) {
    const char* name = command.is_expire ? "EXPIRE" : "HSET";
    if (reply.kind(part) == ReplyKind::kError) {
      return TakeRefusal(reply.text(part), name, command.place, chunk);
    }
    if (reply.kind(part) != ReplyKind::kInteger) return Unexpected(name);
    // The key vanished between HSET and EXPIRE.
    if (command.is_expire && reply.integer(part) == 0) chunk->refused[command.place] = 1;
    return Status::OK();
  }

  // OK where the row may simply be written later.
  Status TakeRefusal(std::string_view error, std::string_view command, size_t place,
                     WriteChunk* chunk) {
    const ReplyFate fate = RuleOf(error).fate;
    if (fate == ReplyFate::kAgain) {
      chunk->refused[place] = 1;
      if (refusal_.empty()) {
        refusal_ = error;
        refused_command_ = command;
      }
      return Status::OK();
    }
    const std::string key = error.starts_with("WRONGTYPE")
                                ? frames_.RedisKeyOf(chunk->batch->keys[chunk->rows[place]])
                                : std::string();
    const Status failure = ErrorOfReply(error, connection_->server(), command, key);
    if (fate == ReplyFate::kMemory && !watch_->TakeMemoryRetry()) {
      return RemoteError({}, "{}", failure.message());
    }
    return failure;
  }

  // One transaction: nobody else's write comes between the check and ours.
  Status WriteGroup(std::unique_ptr<WriteChunk> chunk) {
    CommandBuffer* out = connection_->commands();
    frames_.PutWatch(*chunk->batch, chunk->rows, out);
    for (const uint32_t row : chunk->rows) frames_.PutCheck(chunk->batch->keys[row], out);
    out->Command({"MULTI"});
    BANQUET_ASSIGN_OR_RETURN(const bool watched, TakeOk("WATCH", chunk.get()));
    BANQUET_RETURN_NOT_OK(TakeStoredTimes(chunk.get()));
    // Writes follow only once the transaction is surely open.
    BANQUET_ASSIGN_OR_RETURN(const bool opened, TakeOk("MULTI", chunk.get()));
    if (watched && opened) {
      for (size_t place = 0; place < chunk->rows.size(); ++place) {
        if (chunk->Wants(place, frames_.views())) chunk->PutRow(place, frames_, out);
      }
    }
    if (!chunk->sent.empty()) {
      BANQUET_RETURN_NOT_OK(Execute(chunk.get()));
    } else {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply,
                               connection_->Call({opened ? "DISCARD" : "UNWATCH"}));
      if (!reply->IsStatus("OK")) return Unexpected(opened ? "DISCARD" : "UNWATCH");
    }
    Close(std::move(chunk));
    return Status::OK();
  }

  // +OK is true; a refusal for now is false and refuses every row of the group.
  Result<bool> TakeOk(std::string_view command, WriteChunk* chunk) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    if (reply->IsStatus("OK")) return true;
    if (!reply->IsError()) return Unexpected(command);
    for (size_t place = 0; place < chunk->rows.size(); ++place) {
      BANQUET_RETURN_NOT_OK(TakeRefusal(reply->text(), command, place, chunk));
    }
    return false;
  }

  Status Execute(WriteChunk* chunk) {
    connection_->commands()->Command({"EXEC"});
    writes_unanswered_ += 1;
    for (const SentCommand& command : chunk->sent) {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
      if (reply->IsStatus("QUEUED")) continue;
      const char* name = command.is_expire ? "EXPIRE" : "HSET";
      if (!reply->IsError()) return Unexpected(name);
      BANQUET_RETURN_NOT_OK(TakeRefusal(reply->text(), name, command.place, chunk));
    }
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
    writes_unanswered_ -= 1;
    if (reply->kind() == ReplyKind::kNil || IsAbortOf(*reply, *chunk)) {
      // Somebody wrote one of the keys, or a command was refused for now: nothing was written.
      for (const SentCommand& command : chunk->sent) chunk->refused[command.place] = 1;
      return Status::OK();
    }
    if (reply->IsError()) {
      for (const SentCommand& command : chunk->sent) {
        BANQUET_RETURN_NOT_OK(TakeRefusal(reply->text(), "EXEC", command.place, chunk));
      }
      return Status::OK();
    }
    if (!reply->IsFlatArray(static_cast<int64_t>(chunk->sent.size()))) return Unexpected("EXEC");
    for (size_t i = 0; i < chunk->sent.size(); ++i) {
      BANQUET_RETURN_NOT_OK(TakeWriteReply(*reply, i + 1, chunk->sent[i], chunk));
    }
    return Status::OK();
  }

  static bool IsAbortOf(const Reply& reply, const WriteChunk& chunk) {
    return reply.IsError() && reply.text().starts_with("EXECABORT") &&
           std::ranges::count(chunk.refused, 1) > 0;
  }

  Status Unexpected(std::string_view command) const {
    return RemoteError({}, "{}: an unexpected reply to {}; is this a Redis server?",
                       connection_->server(), command);
  }

  const std::unique_ptr<Connection> connection_;
  const RowFrames frames_;
  const bool strict_;
  ServerWatch* const watch_;
  uint64_t bytes_told_;
  Status failure_;          // Set once; the writer is dead then.
  std::deque<Step> steps_;  // In the order of their replies.
  std::vector<std::unique_ptr<WriteChunk>> spare_;
  RowOutcomes outcomes_;
  std::string refusal_;  // The first refusal for now since the last Flush.
  std::string refused_command_;
  size_t writes_unanswered_ = 0;  // Commands that change data.
};

}  // namespace

std::unique_ptr<OnlineWriter> MakeWriter(std::unique_ptr<Connection> connection, RowFrames frames,
                                         bool strict, ServerWatch* watch) {
  return std::make_unique<RedisWriter>(std::move(connection), std::move(frames), strict, watch);
}

}  // namespace banquet::redis
