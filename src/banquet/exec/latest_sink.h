#pragma once
// The breaker that keeps the newest row per key.

#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/plan/node.h"

namespace banquet {

// Rows of one batch that Output gives; what a store writes at once.
inline constexpr int64_t kWriteBatchRows = 10'000;

// The winner is the same for every number of workers and every batch size. `fates` is borrowed;
// counts duplicates, full_ties and winners when it finishes. Output is in input order, or ascending
// by serialized key where the node asks.
Result<std::unique_ptr<Breaker>> MakeLatestSink(const LatestNode& node, const arrow::Schema& schema,
                                                RowFates* fates);

}  // namespace banquet
