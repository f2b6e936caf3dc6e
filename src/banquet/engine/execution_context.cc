#include "banquet/engine/execution_context.h"

#include <algorithm>

namespace banquet {

WriteOrder ExecutionContext::write_order() const {
  for (const StoreLanes* lanes : online_stores) {
    if (lanes->store().needs().order == WriteOrder::kByKey) return WriteOrder::kByKey;
  }
  return WriteOrder::kAny;
}

int ExecutionContext::lanes() const {
  int lanes = 1;
  for (const StoreLanes* store : online_stores) lanes = std::max(lanes, store->count());
  return lanes;
}

}  // namespace banquet
