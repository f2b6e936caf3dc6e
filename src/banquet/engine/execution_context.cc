#include "banquet/engine/execution_context.h"

namespace banquet {

WriteOrder ExecutionContext::write_order() const {
  for (const StoreLanes* lanes : online_stores) {
    if (lanes->store().needs().order == WriteOrder::kByKey) return WriteOrder::kByKey;
  }
  return WriteOrder::kAny;
}

}  // namespace banquet
