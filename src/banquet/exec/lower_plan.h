#pragma once
// From a plan to pipelines that run in this process.

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/memory_budget.h"
#include "banquet/exec/latest_sink.h"
#include "banquet/exec/pipeline.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/write_sink.h"
#include "banquet/offline/offline_store.h"
#include "banquet/plan/execution_plan.h"

namespace banquet {

// What a plan runs on. Everything is borrowed until LoweredPlan::Run has returned.
struct PlanResources {
  OfflineStore* offline_store = nullptr;
  std::vector<WriteTarget> targets;
  RowFates* fates = nullptr;
  RetryPolicy::Limits retry;
  Clock* clock = nullptr;
  int workers = 1;
  int writers = 0;  // Workers of the pipeline that ends in the stores; as `workers` where fewer.
  std::stop_token stop;
  MemoryBudget* budget = nullptr;  // For what breakers keep.
  std::string spill_directory;
  // Contest keys and times first and read the winners' rows afterwards; else every row is read once
  // and kept.
  bool late_materialization = true;
  bool skip_row_groups = true;  // Those that LatestBreaker::CannotWin names.
  bool dictionaries = true;     // Kept as such where no breaker keeps the rows.
};

// The pipelines of one plan: up to the contest, from it (through the order that a store asks for)
// to the stores; or one alone where there is no contest.
class LoweredPlan {
 public:
  // Into the stores of the plan.
  Status Run() { return RunInto(sink_.get()); }
  // Into `sink`, which is borrowed, in place of the stores: what measures the way before them.
  Status RunInto(Sink* sink);
  const ScanSummary& scan_summary() const { return scan_summary_; }
  // Of the rows that come to the stores, with their reserved time columns.
  const std::shared_ptr<arrow::Schema>& winner_schema() const { return winner_schema_; }
  int64_t spilled_rows() const { return latest_ == nullptr ? 0 : latest_->spilled_rows(); }

 private:
  friend class Lowering;
  std::unique_ptr<Source> source_;
  std::vector<std::unique_ptr<Transform>> transforms_;
  std::unique_ptr<LatestBreaker> latest_;                      // May be null.
  std::vector<std::unique_ptr<Transform>> winner_transforms_;  // Behind latest_.
  std::unique_ptr<Breaker> order_;                             // May be null.
  std::unique_ptr<Sink> sink_;
  ScanSummary scan_summary_;
  std::shared_ptr<arrow::Schema> winner_schema_;
  int workers_ = 1;
  int writers_ = 1;  // Workers of the pipeline that ends in the stores.
  std::stop_token stop_;
};

// Opens the scan and makes every stage, so that what can be refused is refused before a row is
// read.
Result<LoweredPlan> LowerPlan(const ExecutionPlan& plan, const PlanResources& resources);

}  // namespace banquet
