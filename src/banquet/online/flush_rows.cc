#include "banquet/online/flush_rows.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace banquet {

Status CheckViews(const EncodedBatch& batch, size_t views) {
  if (batch.views.size() == views) return Status::OK();
  return Bug("A batch has not the views of its writer: {} for {}", batch.views.size(), views);
}

std::vector<FlushRound> RoundsOf(std::span<const PendingRows> pending) {
  std::vector<FlushRound> rounds;
  std::unordered_map<std::string_view, size_t> seen;
  uint32_t place = 0;
  for (const PendingRows& one : pending) {
    const size_t count = one.rows.Count(one.batch->rows);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = one.rows.At(i);
      const size_t round = seen[one.batch->keys[row]]++;
      if (round == rounds.size()) rounds.emplace_back();
      rounds[round].push_back({.batch = one.batch.get(), .row = row, .place = place++});
    }
  }
  for (FlushRound& round : rounds) {
    std::ranges::sort(round, {}, [](const FlushRow& row) { return row.batch->keys[row.row]; });
  }
  return rounds;
}

size_t RowsOf(std::span<const FlushRound> rounds) {
  size_t rows = 0;
  for (const FlushRound& round : rounds) rows += round.size();
  return rows;
}

}  // namespace banquet
