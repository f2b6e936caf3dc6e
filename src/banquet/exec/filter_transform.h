#pragma once
// Drops rows outside the window, without event time, or with a null in a key column, and counts
// each kind.

#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/plan/node.h"

namespace banquet {

// `fates` is borrowed. A row is counted once: null time before window before null key.
Result<std::unique_ptr<Transform>> MakeFilterTransform(const FilterNode& node,
                                                       const arrow::Schema& schema,
                                                       RowFates* fates);

}  // namespace banquet
