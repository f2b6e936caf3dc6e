#pragma once
// Some rows on their way through the guard: what is stored, what is to be written, what came of it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/model/write_needs.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/restore_forecast.h"
#include "banquet/online/redis/row_frames.h"

namespace banquet::redis {

enum class Verdict : uint8_t { kWrite, kStale, kUnchanged };

// The rule of `overwrite` for a new row (feast-compat 6.1). `stored`: nullopt, no time stored.
Verdict Judge(Overwrite overwrite, std::optional<StoredTime> stored, int64_t new_us);

enum class CommandKind : uint8_t { kCheck, kRestore, kHset, kExpire, kTtl };
const char* NameOf(CommandKind kind);  // "HMGET", "RESTORE", "HSET", "EXPIRE", "TTL"

// A command of a chunk that is sent and not answered.
struct SentCommand {
  uint32_t place = 0;  // Of its row in the chunk.
  CommandKind kind = CommandKind::kCheck;
};

// Rows of one batch, each of another key. Reused: vectors keep their memory.
struct WriteChunk {
  std::shared_ptr<const EncodedBatch> batch;
  std::vector<uint32_t> rows;     // In the batch.
  std::vector<uint8_t> refused;   // The server refused the row for now.
  std::vector<uint8_t> exists;    // RESTORE found the key.
  std::vector<Verdict> verdicts;  // By row, then view.
  std::vector<SentCommand> sent;
  std::vector<uint32_t> for_groups;  // Places left to transactions (guard: strict).
  RestorePlan plan;
  RestoreCounts counts;

  void Begin(std::shared_ptr<const EncodedBatch> of);
  void AddRow(uint32_t row, size_t views);
  std::string_view KeyOf(uint32_t place) const { return batch->keys[rows[place]]; }

  // These append commands of row `place` and note them in `*noted`.
  void PutCheck(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                std::vector<SentCommand>* noted) const;
  void PutTtl(uint32_t place, const RowFrames& frames, CommandBuffer* out,
              std::vector<SentCommand>* noted) const;
  void PutExpire(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                 std::vector<SentCommand>* noted) const;
  // HSET of the views to be written, and EXPIRE. Returns how many commands.
  size_t PutHset(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                 std::vector<SentCommand>* noted) const;

  bool Wants(uint32_t place, size_t views) const;  // Has the row a view to write?
  // Has it none to write and one whose row is stored already? That row may be ours, of a connection
  // that was lost before its EXPIRE.
  bool IsUnchanged(uint32_t place, size_t views) const;
  // Adds what became of the rows, once every command is answered.
  void Count(size_t views, RowOutcomes* outcomes) const;

 private:
  bool HasVerdict(uint32_t place, size_t views, Verdict verdict) const;
};

}  // namespace banquet::redis
