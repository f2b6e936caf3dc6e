#pragma once
// One view of a real repository, from feature_store.yaml to the lowered plan, as `banquet
// materialize` makes it, with a store of the bench's choice at the end.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "banquet/cli/command.h"
#include "banquet/exec/lower_plan.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/store_lanes.h"
#include "banquet/plan/task_group.h"

namespace CLI {
class App;
}

namespace banquet::bench {

struct RunArguments {
  std::string repo;
  std::string start;
  std::string end;
  std::string view;  // Empty: the only one.
  int threads = 2;
  std::vector<std::string> options;  // name=value of the `banquet:` block.
};
// --repo, --start, --end, --view, --threads and --set.
void AddRunArguments(CLI::App* command, RunArguments* arguments);

// Owns all that a LoweredPlan borrows. Used by one thread.
class PlannedRun {
 public:
  static Result<std::unique_ptr<PlannedRun>> Open(const RunArguments& arguments);

  // The store that the repository names.
  Result<std::unique_ptr<OnlineStore>> MakeConfiguredStore();
  // Opens the scan and makes the stages; nothing is read yet. `store` null: only RunInto is
  // possible.
  Result<LoweredPlan> Lower(OnlineStore* store, WriteOrder order);

  const TaskGroup& group() const { return group_; }
  const RowFates& fates() const { return *fates_; }
  const StoreTally& tally() const { return *tally_; }

 private:
  Repository repository_;
  std::unique_ptr<OfflineStore> offline_store_;
  TaskGroup group_;
  int threads_ = 1;
  // Of the last Lower.
  std::unique_ptr<RowFates> fates_;
  std::unique_ptr<MemoryBudget> budget_;
  std::unique_ptr<StoreTally> tally_;
  std::unique_ptr<StoreLanes> lanes_;
};

}  // namespace banquet::bench
