#pragma once
// The rows of a flush, for stores that cannot take an entity twice in one call.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/online/online_store.h"

namespace banquet {

// Rows taken and not yet decided.
struct PendingRows {
  std::shared_ptr<const EncodedBatch> batch;
  RowSelection rows;
};

// Another number of views than the writer's is a bug.
Status CheckViews(const EncodedBatch& batch, size_t views);

// A row of a flush, by its place among the rows that were taken.
struct FlushRow {
  const EncodedBatch* batch = nullptr;
  uint32_t row = 0;    // In the batch.
  uint32_t place = 0;  // Among the rows of the flush.
};
using FlushRound = std::vector<FlushRow>;

// Each entity at most once in a round, by ascending key; what comes again goes into the next, so
// that it meets what the one before it left. Borrows the batches.
std::vector<FlushRound> RoundsOf(std::span<const PendingRows> pending);

size_t RowsOf(std::span<const FlushRound> rounds);

}  // namespace banquet
