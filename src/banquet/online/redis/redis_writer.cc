#include "banquet/online/redis/redis_writer.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "banquet/online/flush_rows.h"
#include "banquet/online/redis/keys_in_flight.h"
#include "banquet/online/redis/restore_forecast.h"
#include "banquet/online/redis/row_replies.h"
#include "banquet/online/redis/watch_groups.h"
#include "banquet/online/redis/write_chunk.h"

namespace banquet::redis {
namespace {

constexpr size_t kChunkRowsMax = 1000;
constexpr size_t kChunkBytesMax = 4 << 20;  // On the average of the batch's rows.
// What HSET adds to key and values: "$4\r\n", four bytes, "\r\n$…\r\n", "\r\n" around each value.
constexpr size_t kFrameBytesPerField = 18;
constexpr size_t kFrameBytesPerRow = 64;
constexpr size_t kChunksInFlight = 3;  // One is answered, two keep the server busy.
constexpr size_t kPushBytes = 64 << 10;

// What follows for a row.
struct NextCommand {
  uint32_t place = 0;
  bool restore = false;  // If the row fits; else:
  CommandKind otherwise = CommandKind::kHset;
};

size_t ChunkRowsMax(const EncodedBatch& batch) {
  size_t bytes = batch.keys.data.size();
  size_t frame_bytes = kFrameBytesPerRow;
  for (const auto& view : batch.views) {
    frame_bytes += kFrameBytesPerField * (1 + view.size());
    for (const EncodedFeature& feature : view) bytes += feature.values.data.size();
  }
  const size_t row_bytes = bytes / std::max<size_t>(batch.rows, 1) + frame_bytes;
  return std::clamp<size_t>(kChunkBytesMax / row_bytes, 1, kChunkRowsMax);
}

class RedisWriter final : public OnlineWriter {
 public:
  explicit RedisWriter(WriterParts parts)
      : connection_(std::move(parts.connection)),
        frames_(std::move(parts.frames)),
        restore_(std::move(parts.restore)),
        guarded_(!frames_.guarded().empty()),
        strict_(parts.strict && guarded_),
        watch_(parts.watch),
        terms_(parts.terms),
        forecast_(guarded_ && !strict_),
        replies_({.server = connection_->server(),
                  .topology = parts.topology,
                  .frames = &frames_,
                  .watch = watch_,
                  .terms = terms_}),
        groups_(connection_.get(), &frames_, &replies_, parts.topology),
        bytes_told_(connection_->commands()->sent_total()) {}

  ~RedisWriter() override {
    if (writes_unanswered_ > 0 || groups_.is_unanswered()) watch_->AddDeadWriter(connection_->id());
  }

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_RETURN_NOT_OK(failure_);
    BANQUET_RETURN_NOT_OK(CheckViews(*batch, frames_.views()));
    const size_t count = rows.Count(batch->rows);
    const size_t chunk_rows = ChunkRowsMax(*batch);
    for (size_t next = 0; next < count;) {
      std::unique_ptr<WriteChunk> chunk = TakeChunk();
      chunk->Begin(batch);
      while (next < count && chunk->rows.size() < chunk_rows &&
             in_flight_.Add(batch->keys[rows.At(next)])) {
        chunk->AddRow(rows.At(next++), frames_.views());
      }
      // A row waits until an earlier one of its key is written: then the server guards it.
      failure_ = chunk->rows.empty() ? Drain() : Start(std::move(chunk));
      BANQUET_RETURN_NOT_OK(failure_);
    }
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    if (failure_.ok()) failure_ = Drain();
    BANQUET_RETURN_NOT_OK(failure_);
    watch_->EndMemoryRetry();
    RowOutcomes outcomes = std::exchange(outcomes_, {});
    std::ranges::sort(outcomes.undecided);
    outcomes.bytes = static_cast<int64_t>(connection_->commands()->sent_total() - bytes_told_);
    bytes_told_ = connection_->commands()->sent_total();
    const Status refusal = replies_.TakeFirstRefusal();
    const int64_t decided = outcomes.written + outcomes.stale + outcomes.unchanged;
    if (!refusal.ok() && decided == 0 && !outcomes.undecided.empty()) {
      // No row is given up by telling why instead of which.
      failure_ = refusal;
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

  bool MayRestore() const { return restore_.has_value() && terms_->open(); }

  // Sends the chunk's first commands, once few chunks are in flight.
  Status Start(std::unique_ptr<WriteChunk> chunk) {
    while (steps_.size() >= kChunksInFlight) BANQUET_RETURN_NOT_OK(FinishStep());
    if (MayRestore()) chunk->plan = forecast_.Next();
    const bool to_groups = strict_ && !chunk->plan.first;
    const auto count = static_cast<uint32_t>(chunk->rows.size());
    next_.clear();
    for (uint32_t place = 0; place < count; ++place) {
      if (to_groups) {
        chunk->for_groups.push_back(place);
      } else {
        next_.push_back({.place = place,
                         .restore = chunk->plan.first,
                         .otherwise = guarded_ ? CommandKind::kCheck : CommandKind::kHset});
      }
    }
    SendNext(std::move(chunk));
    return rows_for_groups_ >= kChunkRowsMax || to_groups ? RunGroups() : Status::OK();
  }

  // Sends the commands of next_, or closes the chunk where there are none.
  void SendNext(std::unique_ptr<WriteChunk> chunk) {
    CommandBuffer* out = connection_->commands();
    if (MayRestore()) restore_->Use(*chunk->batch);
    chunk->sent.clear();
    for (const NextCommand& next : next_) {
      if (next.restore && MayRestore() && restore_->Put(chunk->rows[next.place], out)) {
        chunk->sent.push_back({.place = next.place, .kind = CommandKind::kRestore});
        ++writes_unanswered_;
      } else if (strict_) {
        chunk->for_groups.push_back(next.place);
      } else {
        PutNext(next, chunk.get());
      }
      if (out->unsent().size() >= kPushBytes) connection_->Push();
    }
    connection_->Push();
    if (!chunk->sent.empty()) {
      steps_.push_back(std::move(chunk));
    } else if (!chunk->for_groups.empty()) {
      rows_for_groups_ += chunk->for_groups.size();
      for_groups_.push_back(std::move(chunk));
    } else {
      Close(std::move(chunk));
    }
  }

  void PutNext(const NextCommand& next, WriteChunk* chunk) {
    CommandBuffer* out = connection_->commands();
    switch (next.otherwise) {
      case CommandKind::kCheck:
        return chunk->PutCheck(next.place, frames_, out, &chunk->sent);
      case CommandKind::kTtl:
        return chunk->PutTtl(next.place, frames_, out, &chunk->sent);
      case CommandKind::kExpire:
        ++writes_unanswered_;
        return chunk->PutExpire(next.place, frames_, out, &chunk->sent);
      case CommandKind::kHset:
      case CommandKind::kRestore:
        writes_unanswered_ += chunk->PutHset(next.place, frames_, out, &chunk->sent);
    }
  }

  Status FinishStep() {
    std::unique_ptr<WriteChunk> chunk = std::move(steps_.front());
    steps_.pop_front();
    next_.clear();
    for (const SentCommand& command : chunk->sent) {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection_->Receive());
      BANQUET_RETURN_NOT_OK(TakeReply(*reply, command, chunk.get()));
    }
    SendNext(std::move(chunk));
    return Status::OK();
  }

  Status TakeReply(const Reply& reply, const SentCommand& command, WriteChunk* chunk) {
    const uint32_t place = command.place;
    if (command.kind == CommandKind::kCheck) {
      BANQUET_ASSIGN_OR_RETURN(const bool absent, replies_.TakeTimes(reply, place, chunk));
      if (chunk->Wants(place, frames_.views())) {
        const bool restore = absent && chunk->plan.absent && chunk->exists[place] == 0;
        next_.push_back({.place = place, .restore = restore});
      } else if (frames_.has_ttl() && chunk->IsUnchanged(place, frames_.views())) {
        next_.push_back({.place = place, .otherwise = CommandKind::kTtl});
      }
      return Status::OK();
    }
    if (command.kind == CommandKind::kTtl) {
      BANQUET_ASSIGN_OR_RETURN(const bool never, replies_.TakeTtl(reply, place, chunk));
      if (never) next_.push_back({.place = place, .otherwise = CommandKind::kExpire});
      return Status::OK();
    }
    --writes_unanswered_;
    if (command.kind != CommandKind::kRestore) return replies_.TakeWrite(reply, 0, command, chunk);
    BANQUET_ASSIGN_OR_RETURN(const bool made, replies_.TakeRestore(reply, place, chunk));
    if (!made && chunk->refused[place] == 0) {
      next_.push_back(
          {.place = place, .otherwise = guarded_ ? CommandKind::kCheck : CommandKind::kHset});
    }
    return Status::OK();
  }

  void Close(std::unique_ptr<WriteChunk> chunk) {
    forecast_.Add(chunk->plan, chunk->counts);
    chunk->Count(frames_.views(), &outcomes_);
    chunk->batch.reset();
    spare_.push_back(std::move(chunk));
  }

  // Decides every row taken.
  Status Drain() {
    BANQUET_RETURN_NOT_OK(RunGroups());
    in_flight_.Clear();
    return Status::OK();
  }

  // Finishes all steps, then the transactions they leave.
  Status RunGroups() {
    while (!steps_.empty()) BANQUET_RETURN_NOT_OK(FinishStep());
    for (std::unique_ptr<WriteChunk>& chunk : for_groups_) {
      BANQUET_RETURN_NOT_OK(groups_.Write(chunk.get(), chunk->for_groups));
      Close(std::move(chunk));
    }
    for_groups_.clear();
    rows_for_groups_ = 0;
    return Status::OK();
  }

  const std::unique_ptr<Connection> connection_;
  const RowFrames frames_;
  std::optional<RestoreFrames> restore_;
  const bool guarded_;
  const bool strict_;
  ServerWatch* const watch_;
  RestoreTerms* const terms_;
  RestoreForecast forecast_;
  RowReplies replies_;
  WatchGroups groups_;
  uint64_t bytes_told_;
  Status failure_;                                 // Set once; the writer is dead then.
  std::deque<std::unique_ptr<WriteChunk>> steps_;  // In the order of their replies.
  std::vector<std::unique_ptr<WriteChunk>> for_groups_;
  size_t rows_for_groups_ = 0;
  std::vector<std::unique_ptr<WriteChunk>> spare_;
  std::vector<NextCommand> next_;  // Reused.
  KeysInFlight in_flight_;
  RowOutcomes outcomes_;
  size_t writes_unanswered_ = 0;  // Commands that change data, outside transactions.
};

}  // namespace

std::unique_ptr<OnlineWriter> MakeWriter(WriterParts parts) {
  return std::make_unique<RedisWriter>(std::move(parts));
}

}  // namespace banquet::redis
