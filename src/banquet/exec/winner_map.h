#pragma once
// Which rows of a scan won.

#include <cstdint>
#include <span>
#include <vector>

#include "banquet/base/memory_budget.h"

namespace banquet {

// Rows that follow one another in the scan's input order: those of one fragment.
struct RowRange {
  int64_t first_row = 0;
  int64_t rows = 0;
};

// A bit for every row of the ranges that has a winner: one byte for eight rows, whatever the number
// of keys and features. Setting is for one thread; reading for any number, afterwards.
class WinnerMap {
 public:
  // `ranges` ascend and do not overlap. Borrows the budget.
  WinnerMap(std::vector<RowRange> ranges, MemoryBudget* budget);

  void Set(int64_t position);
  size_t ranges() const { return ranges_.size(); }
  // Winners in a range.
  int64_t CountOf(size_t range) const { return counts_[range]; }
  // Appends those of the `count` rows from `position` on, all of one range, that won; counted from
  // `position`, ascending.
  void AppendRows(int64_t position, int64_t count, std::vector<uint32_t>* rows) const;

 private:
  size_t RangeOf(int64_t position) const;

  std::vector<RowRange> ranges_;
  std::vector<std::vector<uint64_t>> bits_;  // Per range; empty: no winner.
  std::vector<int64_t> counts_;
  MemoryLease lease_;
  size_t last_ = 0;  // The range that was set last: the next position is often in it too.
};

}  // namespace banquet
