#pragma once
// Some rows on their way through the guard: what is stored, what is to be written, what came of it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/model/write_needs.h"
#include "banquet/online/online_store.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/row_frames.h"

namespace banquet::redis {

enum class Verdict : uint8_t { kWrite, kStale, kUnchanged };

// The rule of `overwrite` for a new row (feast-compat 6.1). `stored`: nullopt, no time stored.
// `earlier_us`: the newest of the rows of the same key that precede it; nullopt: none.
Verdict Judge(Overwrite overwrite, std::optional<StoredTime> stored,
              std::optional<int64_t> earlier_us, int64_t new_us);

// Keys of a chunk with their newest time. Borrows the keys.
class RecentKeys {
 public:
  void Reset(size_t keys_max);
  std::optional<int64_t> NewestOf(std::string_view key) const;
  void Add(std::string_view key, int64_t event_us);

 private:
  struct Slot {
    std::string_view key;
    int64_t newest_us = 0;
    bool used = false;
  };
  size_t PlaceOf(std::string_view key) const;
  std::vector<Slot> slots_;
};

// A command of a chunk that is sent and not answered.
struct SentCommand {
  uint32_t place = 0;  // Of its row in the chunk.
  bool is_expire = false;
};

// Rows of one batch. Reused: vectors keep their memory.
struct WriteChunk {
  std::shared_ptr<const EncodedBatch> batch;
  std::vector<uint32_t> rows;                      // In the batch.
  std::vector<std::optional<int64_t>> earlier_us;  // As Judge takes it.
  RecentKeys keys;
  std::vector<uint8_t> refused;   // The server refused the row for now.
  std::vector<Verdict> verdicts;  // By row, then view.
  std::vector<SentCommand> sent;

  // `before`: the chunk whose writes may not be executed yet when this one's check is; or nullptr.
  void Begin(std::shared_ptr<const EncodedBatch> of, const RowSelection& selection, size_t first,
             size_t count, const RowFrames& frames, const WriteChunk* before);
  // Appends the writes of row `place` and notes them in `sent`.
  void PutRow(size_t place, const RowFrames& frames, CommandBuffer* out);
  bool Wants(size_t place, size_t views) const;  // Has the row a view to write?
  // Adds what became of the rows, once every command is answered.
  void Count(size_t views, RowOutcomes* outcomes) const;
};

}  // namespace banquet::redis
