#pragma once
// From a plan to pipelines that run in this process.

#include <memory>
#include <stop_token>
#include <vector>

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
  std::stop_token stop;
};

// The pipelines of one plan: up to the breaker, and from it to the stores (or one alone where there
// is no breaker).
class LoweredPlan {
 public:
  // Into the stores of the plan.
  Status Run() { return RunInto(sink_.get()); }
  // Into `sink`, which is borrowed, in place of the stores: what measures the way before them.
  Status RunInto(Sink* sink);
  const ScanSummary& scan_summary() const { return scan_summary_; }

 private:
  friend Result<LoweredPlan> LowerPlan(const ExecutionPlan& plan, const PlanResources& resources);
  std::unique_ptr<Source> source_;
  std::vector<std::unique_ptr<Transform>> transforms_;
  std::unique_ptr<Breaker> breaker_;  // May be null.
  std::unique_ptr<Sink> sink_;
  ScanSummary scan_summary_;
  int workers_ = 1;
  std::stop_token stop_;
};

// Opens the scan and makes every stage, so that what can be refused is refused before a row is
// read.
Result<LoweredPlan> LowerPlan(const ExecutionPlan& plan, const PlanResources& resources);

}  // namespace banquet
