// `encode`: a fixed number of values through the encoder, and through Redis' framing; for counting
// instructions and allocations. The same work in nanoseconds is in banquet_micro.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "arrow/record_batch.h"
#include "banquet/encode/batch_encoder.h"
#include "bench/native/command.h"
#include "bench/native/framing.h"
#include "bench/native/meters.h"
#include "bench/native/synthetic_scan.h"

namespace banquet::bench {
namespace {

constexpr int64_t kBatchRows = 10'000;  // What a run encodes at once.

struct EncodeArguments {
  int64_t batches = 1;
  int features = 10;
  std::string frame;  // Empty: only encode.
  bool text = false;
};

Status RunEncode(const EncodeArguments& arguments) {
  const SyntheticRows rows{.rows = kBatchRows, .keys = 1 << 30, .features = arguments.features};
  const ViewColumns view = SyntheticView(rows);
  BANQUET_ASSIGN_OR_RETURN(const auto batch, MakeBatch(rows, 0, kBatchRows));
  BANQUET_ASSIGN_OR_RETURN(const auto encoder, BatchEncoder::Make({&view, 1}, *batch->schema(),
                                                                  {.value_text = arguments.text}));
  BANQUET_ASSIGN_OR_RETURN(
      const auto framing,
      MakeFraming(arguments.frame == "restore" ? RedisCommand::kRestore : RedisCommand::kHset,
                  {&view, 1}));
  // The first batch grows what later ones reuse.
  BANQUET_ASSIGN_OR_RETURN(auto encoded, encoder->Encode(*batch));
  uint64_t bytes = !arguments.frame.empty() ? framing->Frame(*encoded) : 0;
  const AllocationCount before = Allocations();
  const double began = Now();
  for (int64_t i = 0; i < arguments.batches; ++i) {
    BANQUET_ASSIGN_OR_RETURN(encoded, encoder->Encode(*batch));
    if (!arguments.frame.empty()) bytes += framing->Frame(*encoded);
  }
  const double seconds = Now() - began;
  const AllocationCount after = Allocations();
  const int64_t values = arguments.batches * kBatchRows * arguments.features;
  fmt::print(
      "{{\"seconds\": {:.6f}, \"rows\": {}, \"values\": {}, \"ns_per_value\": {:.3f}, \"news\": "
      "{}, \"arrow_allocations\": {}, \"bytes\": {}}}\n",
      seconds, arguments.batches * kBatchRows, values,
      seconds * 1e9 / static_cast<double>(std::max<int64_t>(values, 1)), after.news - before.news,
      after.arrow - before.arrow, bytes);
  return Status::OK();
}

}  // namespace

void AddEncodeCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<EncodeArguments>();
  CLI::App* command = app.add_subcommand("encode", "Encode batches of 10,000 rows of doubles");
  command->add_option("--batches", arguments->batches);
  command->add_option("--features", arguments->features);
  command->add_option("--frame", arguments->frame, "Frame the rows as this command too")
      ->check(CLI::IsMember({"hset", "restore"}));
  command->add_flag("--text", arguments->text, "Make value_text too");
  command->callback([body, arguments] { *body = [arguments] { return RunEncode(*arguments); }; });
}

}  // namespace banquet::bench
