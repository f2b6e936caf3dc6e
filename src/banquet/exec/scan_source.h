#pragma once
// The source that reads a scan's fragments, shared by all workers of a pipeline.

#include <functional>
#include <memory>
#include <vector>

#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/offline/offline_store.h"

namespace banquet {

// What to read of a scan.
struct ScanReading {
  std::shared_ptr<const Scan> scan;
  std::vector<int> columns;       // Requested columns, by place in Scan::schema.
  std::vector<size_t> fragments;  // In the order of reading.
  // Asked before a fragment is opened; its rows are then counted as pruned. May be empty.
  std::function<bool(const ScanFragment&)> may_skip;
  RowFates* fates = nullptr;  // Borrowed; gets bytes_read.
  bool counts_rows = true;    // Also read, pruned and total: on the first way through the rows.
};

// Each worker has a fragment of its own as long as there are any; then those that are left take
// turns.
std::unique_ptr<Source> MakeScanSource(ScanReading reading);

// All fragments, those with the latest event times first: of rows that come later most lose at the
// first comparison, and whole fragments may be skipped. Fragments of unknown times come first.
std::vector<size_t> NewestFirst(const Scan& scan);
std::vector<size_t> InInputOrder(const Scan& scan);

}  // namespace banquet
