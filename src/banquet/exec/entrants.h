#pragma once
// Rows on their way into a contest.

#include <cstdint>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/exec/contest_table.h"

namespace banquet {

// Column by column; all of one length, save where said.
struct Entrants {
  std::vector<uint64_t> numbers;  // Keys that are numbers; else empty.
  BytesColumn bytes;              // Keys that are not; else empty.
  size_t bytes_skipped = 0;       // At the start of each of `bytes`: the same in all keys.
  std::vector<int64_t> event_us;
  std::vector<int64_t> positions;
  std::vector<FineTimes> fine;  // Empty in a contest without fine times.

  size_t size() const { return event_us.size(); }
  void Clear() {
    numbers.clear();
    bytes.Clear();
    event_us.clear();
    positions.clear();
    fine.clear();
  }
};

}  // namespace banquet
