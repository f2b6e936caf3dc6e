#pragma once
// What travels through a pipeline.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "arrow/type_fwd.h"

namespace banquet {

// A record batch, where its rows stood in the input, and which of them are still in the race.
struct Batch {
  std::shared_ptr<arrow::RecordBatch> rows;  // Null: the end.
  int64_t first_row = 0;                     // Position of row 0 in the scan's input order.
  // Rows that passed the filters, ascending; nullopt: all.
  std::optional<std::vector<uint32_t>> selection;
};

}  // namespace banquet
