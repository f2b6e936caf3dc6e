#pragma once
// What will be done for one task group, printable, before anything is done.

#include <string>
#include <utility>
#include <vector>

#include "banquet/plan/node.h"

namespace banquet {

// Nodes in topological order; a node's input is the index of an earlier node. Immutable.
class ExecutionPlan {
 public:
  explicit ExecutionPlan(std::vector<PlanNode> nodes) : nodes_(std::move(nodes)) {}
  const std::vector<PlanNode>& nodes() const { return nodes_; }
  const ScanNode& scan() const { return std::get<ScanNode>(nodes_.front()); }
  // One line per node, in order.
  std::string ToString() const;

 private:
  std::vector<PlanNode> nodes_;
};

}  // namespace banquet
