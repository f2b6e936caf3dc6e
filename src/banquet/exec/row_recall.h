#pragma once
// Where the winners' rows come from once it is known which rows won.

#include <memory>
#include <string>
#include <vector>

#include "banquet/base/memory_budget.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/exec/winner_map.h"
#include "banquet/offline/offline_store.h"

namespace banquet {

// Told of every batch of a contest; gives whole rows afterwards. Safe to share between threads.
class RowRecall {
 public:
  virtual ~RowRecall() = default;
  // The batch as it entered the contest.
  virtual Status Keep(const Batch& batch) = 0;
  // Once, after the last Keep: the rows that won, whole, in batches of any size. The recall
  // outlives the source.
  virtual Result<std::unique_ptr<Source>> Winners(std::shared_ptr<const WinnerMap> winners) = 0;
};

// Late materialization: keeps nothing and reads the scan's fragments again, those with winners, all
// columns. The contest then needs keys and times only.
std::unique_ptr<RowRecall> MakeScanRecall(std::shared_ptr<const Scan> scan, RowFates* fates);

// Keeps the batches, in memory as far as the budget allows and then in a spill file. Borrows the
// budget.
std::unique_ptr<RowRecall> MakeSpoolRecall(MemoryBudget* budget, std::string spill_directory);

// The ranges of a scan's fragments, for a WinnerMap.
std::vector<RowRange> RangesOf(const Scan& scan);

}  // namespace banquet
