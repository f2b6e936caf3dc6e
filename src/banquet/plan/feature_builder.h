#pragma once
// From a task group and what its source can do to a plan. No threads, no connections.

#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/model/scan_request.h"
#include "banquet/model/write_needs.h"
#include "banquet/plan/engine_reach.h"
#include "banquet/plan/execution_plan.h"
#include "banquet/plan/task_group.h"

namespace banquet {

// Builds the one logical plan; an engine is a lowering of it (architecture section 2).
class FeatureBuilder {
 public:
  // `order` is what the online stores of the run ask for.
  FeatureBuilder(ScanCapabilities capabilities, WriteOrder order)
      : capabilities_(capabilities), order_(order) {}

  // Columns as feast-compat 4.2, nodes as 7.1. A view without features or without time column is a
  // user error.
  Result<ExecutionPlan> Build(const TaskGroup& group) const;

  // Why an engine of that reach cannot materialize a view, in words for its owner; nothing when it
  // can.
  static std::optional<std::string> WhyUnsupported(const FeatureView& view,
                                                   const EngineReach& reach);

 private:
  ScanCapabilities capabilities_;
  WriteOrder order_;
};

}  // namespace banquet
