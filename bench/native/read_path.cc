// `read-path` and `write`: the layers of a run timed apart, on the real plan.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <memory>

#include "banquet/base/memory_budget.h"
#include "bench/native/command.h"
#include "bench/native/meters.h"
#include "bench/native/planned_run.h"
#include "bench/native/sink_store.h"
#include "bench/native/touch_sink.h"

namespace banquet::bench {
namespace {

struct ReadPathArguments {
  RunArguments run;
  std::string level = "L1";
  bool by_key = false;  // The order and the needs of an SQL store.
};

struct Stretch {
  double began = Now();
  AllocationCount allocations = Allocations();
};

void PrintReadPath(const Stretch& before, const PlannedRun& run, int64_t winners,
                   uint64_t checksum) {
  const double seconds = Now() - before.began;
  const AllocationCount after = Allocations();
  const auto features = static_cast<int64_t>(run.group().columns.front().features.size());
  fmt::print(
      "{{\"seconds\": {:.6f}, \"rows_read\": {}, \"winners\": {}, \"values\": {}, "
      "\"peak_memory_bytes\": {}, \"news\": {}, \"arrow_allocations\": {}, \"bytes_read\": {}, "
      "\"checksum\": {}}}\n",
      seconds, run.fates().read.load(), winners, winners * features, PeakMemoryBytes(),
      after.news - before.allocations.news, after.arrow - before.allocations.arrow,
      run.fates().bytes_read.load(), checksum);
}

// L1: scan, filter, newest per key, every feature value read. L2: encoded too, and dropped.
Status RunReadPath(const ReadPathArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<PlannedRun> run, PlannedRun::Open(arguments.run));
  const WriteOrder order = arguments.by_key ? WriteOrder::kByKey : WriteOrder::kAny;
  const Stretch before;
  if (arguments.level == "L1") {
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(nullptr, order));
    TouchSink sink;
    BANQUET_RETURN_NOT_OK(plan.RunInto(&sink));
    PrintReadPath(before, *run, sink.rows(), sink.checksum());
    return Status::OK();
  }
  SinkStore store({.needs = {.lanes = arguments.run.threads,
                             .order = order,
                             .encode = {.value_text = arguments.by_key}}});
  BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(&store, order));
  BANQUET_RETURN_NOT_OK(plan.Run());
  PrintReadPath(before, *run, run->tally().written.load(), 0);
  return Status::OK();
}

// L3 with its two halves apart: up to the first writer, and from there to the last reply.
Status RunWrite(const RunArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<PlannedRun> run, PlannedRun::Open(arguments));
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<OnlineStore> store, run->MakeConfiguredStore());
  TimedStore timed(store.get());
  BANQUET_RETURN_NOT_OK(timed.Prepare(run->group().columns));
  const Stretch before;
  {
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(&timed, timed.needs().order));
    BANQUET_RETURN_NOT_OK(plan.Run());
    BANQUET_RETURN_NOT_OK(timed.ConfirmWritten());
  }
  store.reset();
  const double ended = Now();
  const double middle = timed.first_writer() > 0 ? timed.first_writer() : ended;
  fmt::print(
      "{{\"seconds\": {:.6f}, \"read_seconds\": {:.6f}, \"write_seconds\": {:.6f}, \"rows\": {}, "
      "\"written\": {}, \"stale\": {}, \"unchanged\": {}, \"bytes\": {}, \"peak_memory_bytes\": "
      "{}}}\n",
      ended - before.began, middle - before.began, ended - middle, run->fates().read.load(),
      run->tally().written.load(), run->tally().stale.load(), run->tally().unchanged.load(),
      run->tally().bytes.load(), PeakMemoryBytes());
  return Status::OK();
}

}  // namespace

void AddReadPathCommands(CLI::App& app, CommandBody* body) {
  auto read = std::make_shared<ReadPathArguments>();
  CLI::App* read_path = app.add_subcommand("read-path", "Time the real plan without its store");
  AddRunArguments(read_path, &read->run);
  read_path
      ->add_option("--level", read->level, "L1: read every winner's values; L2: encode them too")
      ->check(CLI::IsMember({"L1", "L2"}));
  read_path->add_flag("--by-key", read->by_key, "Order and needs of an SQL store");
  read_path->callback([body, read] { *body = [read] { return RunReadPath(*read); }; });

  auto write = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("write", "Time the write half of a run apart");
  AddRunArguments(command, write.get());
  command->callback([body, write] { *body = [write] { return RunWrite(*write); }; });
}

}  // namespace banquet::bench
