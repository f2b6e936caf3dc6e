#pragma once
// Applies a source's field mapping.

#include <memory>
#include <span>

#include "arrow/type_fwd.h"
#include "banquet/exec/stage.h"
#include "banquet/plan/node.h"

namespace banquet {

// `input` is the scan's schema; the output has `columns` under their mapped names, then the
// reserved columns.
struct RenamedStage {
  std::unique_ptr<Transform> transform;
  std::shared_ptr<arrow::Schema> schema;
};
Result<RenamedStage> MakeRenameTransform(std::span<const RenameNode::Column> columns,
                                         const arrow::Schema& input);

}  // namespace banquet
