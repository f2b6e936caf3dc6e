#pragma once
// The contest for the newest row per key: a hash table over retained batches.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet {

// What decides between two rows of one key.
struct Contender {
  int64_t event_us = 0;
  int64_t created_us = 0;
  uint16_t event_nanos = 0;
  uint16_t created_nanos = 0;
  bool has_created = false;
  int64_t position = 0;  // In the scan's input order.

  // Compares both times; a null created time is the lowest. Zero: a full tie, which the smaller
  // position wins.
  int CompareTimes(const Contender& other) const;
  bool Beats(const Contender& other) const {
    const int order = CompareTimes(other);
    return order != 0 ? order > 0 : position < other.position;
  }
};

// Keys are byte strings without their common prefix. Rows are kept as (batch, row) of retained
// record batches; batches that are mostly losers are compacted, so that memory follows the number
// of keys, not of rows. Used by one thread.
class LatestTable {
 public:
  struct Entry {
    uint64_t hash = 0;
    uint64_t key_offset = 0;
    uint32_t key_size = 0;
    uint32_t batch = 0;
    uint32_t row = 0;
    int64_t ties = 0;  // Rows that tied fully with the present winner and lost by position.
    Contender contender;
  };

  LatestTable();

  // Registers a batch whose rows are then offered by Offer; EndBatch after its last row.
  uint32_t BeginBatch(std::shared_ptr<arrow::RecordBatch> rows);
  // True when the key is a new one.
  bool Offer(std::string_view key, const Contender& contender, uint32_t batch, uint32_t row);
  Status EndBatch(uint32_t batch);

  // Takes over everything of `other`, which is empty afterwards.
  Status Absorb(LatestTable&& other);

  // Gathers all winners into as few batches as their size allows. After this, no more Offer.
  Status Seal();

  std::span<const Entry> entries() const { return entries_; }
  std::string_view KeyOf(const Entry& entry) const {
    return std::string_view(keys_).substr(entry.key_offset, entry.key_size);
  }
  const std::shared_ptr<arrow::RecordBatch>& batch(uint32_t id) const { return batches_[id].rows; }
  int64_t ties() const;

 private:
  struct Retained {
    std::shared_ptr<arrow::RecordBatch> rows;
    int64_t live = 0;
  };
  // The slot of the key's entry, or of the empty place where it belongs.
  size_t FindSlot(uint64_t hash, std::string_view key) const;
  bool Place(uint64_t hash, std::string_view key, const Contender& contender, uint32_t batch,
             uint32_t row, int64_t ties);
  void Grow();
  // Rewrites batches whose live share is below the limit (all of them when sealing).
  Status Compact(bool all);
  Status Gather(std::span<const uint32_t> sparse, std::vector<std::vector<uint32_t>>* entries_of);
  Status MergeBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> pieces,
                      std::span<const uint32_t> entries);

  std::string keys_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // Entry number + 1; 0: empty. Power-of-two size.
  std::vector<Retained> batches_;
  int64_t retained_rows_ = 0;
};

}  // namespace banquet
