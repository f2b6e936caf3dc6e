#include "banquet/base/arrow_runtime.h"

#include "arrow/compute/initialize.h"

namespace banquet {

Status InitializeArrow() { return arrow::compute::Initialize(); }

}  // namespace banquet
