#include "banquet/exec/winner_map.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace banquet {
namespace {

constexpr int64_t kWordBits = 64;

}  // namespace

WinnerMap::WinnerMap(std::vector<RowRange> ranges, MemoryBudget* budget)
    : ranges_(std::move(ranges)),
      bits_(ranges_.size()),
      counts_(ranges_.size(), 0),
      lease_(budget) {}

void WinnerMap::Set(int64_t position) {
  const RowRange* range = &ranges_[last_];
  if (position < range->first_row || position >= range->first_row + range->rows) {
    last_ = RangeOf(position);
    range = &ranges_[last_];
  }
  std::vector<uint64_t>& words = bits_[last_];
  if (words.empty()) {
    words.resize(static_cast<size_t>((range->rows + kWordBits - 1) / kWordBits), 0);
    lease_.Grow(static_cast<int64_t>(words.size() * sizeof(uint64_t)));
  }
  const auto row = static_cast<uint64_t>(position - range->first_row);
  words[row / kWordBits] |= uint64_t{1} << row % kWordBits;
  ++counts_[last_];
}

size_t WinnerMap::RangeOf(int64_t position) const {
  const auto next = std::ranges::upper_bound(ranges_, position, {}, &RowRange::first_row);
  return static_cast<size_t>(next - ranges_.begin()) - 1;
}

void WinnerMap::AppendRows(int64_t position, int64_t count, std::vector<uint32_t>* rows) const {
  const size_t range = RangeOf(position);
  const std::vector<uint64_t>& words = bits_[range];
  if (words.empty()) return;
  const int64_t first = position - ranges_[range].first_row;
  const int64_t end = first + count;
  for (int64_t word = first / kWordBits; word * kWordBits < end; ++word) {
    uint64_t bits = words[static_cast<size_t>(word)];
    const int64_t base = word * kWordBits;
    if (base < first) bits &= ~uint64_t{0} << (first - base);
    if (end - base < kWordBits) bits &= (uint64_t{1} << (end - base)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      rows->push_back(static_cast<uint32_t>(base - first + std::countr_zero(bits)));
    }
  }
}

}  // namespace banquet
