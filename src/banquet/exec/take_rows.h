#pragma once
// Picks rows of a record batch.

#include <memory>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet {

// The rows of these indices, in this order, copied.
Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::vector<uint32_t>& indices);

}  // namespace banquet
