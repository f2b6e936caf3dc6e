// `contest`: the newest row per key of computed rows, without a file and without features.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "banquet/base/memory_budget.h"
#include "banquet/exec/lower_plan.h"
#include "bench/native/command.h"
#include "bench/native/meters.h"
#include "bench/native/synthetic_scan.h"
#include "bench/native/touch_sink.h"

namespace banquet::bench {
namespace {

struct ContestArguments {
  SyntheticRows rows;
  int threads = 2;
};

Status Drain(const Scan& scan, std::atomic<size_t>* next) {
  for (size_t i = next->fetch_add(1); i < scan.fragments.size(); i = next->fetch_add(1)) {
    BANQUET_ASSIGN_OR_RETURN(const auto reader, scan.fragments[i]->Open(scan.AllColumns()));
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const auto batch, reader->Next());
      if (batch == nullptr) break;
    }
  }
  return Status::OK();
}

// Seconds to compute the rows alone, which is no part of the contest.
Result<double> TimeOfRowsAlone(const ContestArguments& arguments) {
  const auto store = MakeSyntheticStore(arguments.rows);
  BANQUET_ASSIGN_OR_RETURN(const Scan scan, store->OpenScan({}));
  std::atomic<size_t> next = 0;
  std::vector<Status> statuses(arguments.threads);
  const double began = Now();
  {
    std::vector<std::jthread> threads;
    for (Status& status : statuses) threads.emplace_back([&] { status = Drain(scan, &next); });
  }
  for (const Status& status : statuses) BANQUET_RETURN_NOT_OK(status);
  return Now() - began;
}

Status RunContest(const ContestArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const double rows_alone, TimeOfRowsAlone(arguments));
  const auto store = MakeSyntheticStore(arguments.rows);
  RowFates fates;
  MemoryBudget budget(int64_t{1} << 40);
  PlanResources resources{.offline_store = store.get(),
                          .targets = {},
                          .fates = &fates,
                          .retry = {},
                          .clock = &SystemClock(),
                          .workers = arguments.threads,
                          .stop = {},
                          .budget = &budget};
  BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, LowerPlan(SyntheticPlan(arguments.rows), resources));
  TouchSink sink;
  const double began = Now();
  BANQUET_RETURN_NOT_OK(plan.RunInto(&sink));
  const double ended = Now();
  const double rows = static_cast<double>(arguments.rows.rows);
  fmt::print(
      "{{\"rows\": {}, \"winners\": {}, \"rows_alone_seconds\": {:.6f}, \"contest_seconds\": "
      "{:.6f}, \"output_seconds\": {:.6f}, \"ns_per_row\": {:.3f}, \"peak_memory_bytes\": {}}}\n",
      arguments.rows.rows, sink.rows(), rows_alone, sink.began() - began, ended - sink.began(),
      (sink.began() - began - rows_alone) * 1e9 / rows, PeakMemoryBytes());
  return Status::OK();
}

}  // namespace

void AddContestCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<ContestArguments>();
  CLI::App* command = app.add_subcommand("contest", "Newest row per key of computed rows");
  command->add_option("--rows", arguments->rows.rows)->required();
  command->add_option("--keys", arguments->rows.keys)->required();
  command->add_option("--features", arguments->rows.features, "Doubles that travel along");
  command->add_option("--threads", arguments->threads);
  command->callback([body, arguments] { *body = [arguments] { return RunContest(*arguments); }; });
}

}  // namespace banquet::bench
