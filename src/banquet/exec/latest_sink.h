#pragma once
// The breaker that keeps the newest row per key.

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/memory_budget.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/row_recall.h"
#include "banquet/exec/stage.h"
#include "banquet/plan/node.h"

namespace banquet {

// A breaker that can tell in advance what a part of the source cannot change any more.
class LatestBreaker : public Breaker {
 public:
  // No row of the fragment can win: every key that it can hold has a later row already.
  // `key_column` is the key's place in Scan::schema; -1 where the key is not one column. Safe while
  // workers consume.
  virtual bool CannotWin(const ScanFragment& fragment, int key_column) = 0;
  virtual int64_t spilled_rows() const = 0;
};

struct LatestSettings {
  // Of the rows that will come; empty: as many as come, numbered from 0.
  std::vector<RowRange> ranges;
  std::unique_ptr<RowRecall> recall;
  MemoryBudget* budget = nullptr;  // Borrowed.
  std::string spill_directory;
  std::stop_token stop;
  RowFates* fates = nullptr;  // Borrowed; gets duplicates, full_ties and winners at the end.
};

// `schema` is that of the batches consumed: at least the key columns and the reserved ones. The
// winner is the same for every number of workers, batch size and memory limit. Output is in no
// order and has the columns that the recall gives.
Result<std::unique_ptr<LatestBreaker>> MakeLatestSink(const LatestNode& node,
                                                      const arrow::Schema& schema,
                                                      LatestSettings settings);

}  // namespace banquet
