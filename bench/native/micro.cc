// Micro-benchmarks of the hot loops: encode by type, framing for Redis, the contest.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>

#include "arrow/array/builder_binary.h"
#include "arrow/array/builder_nested.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/record_batch.h"
#include "banquet/base/arrow_runtime.h"
#include "banquet/encode/batch_encoder.h"
#include "banquet/encode/field_encoder.h"
#include "banquet/exec/lower_plan.h"
#include "bench/native/framing.h"
#include "bench/native/synthetic_scan.h"
#include "bench/native/touch_sink.h"

namespace banquet::bench {
namespace {

constexpr int64_t kRows = 10'000;  // What a run encodes at once.

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> ArrayOf(Make make) {
  Builder builder;
  for (int64_t i = 0; i < kRows; ++i) {
    const Status status = i % 16 == 15 ? builder.AppendNull() : builder.Append(make(i));
    if (!status.ok()) return nullptr;
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> DoubleLists() {
  auto values = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), values);
  for (int64_t i = 0; i < kRows; ++i) {
    if (!lists.Append().ok()) return nullptr;
    for (int64_t j = 0; j < 8; ++j) {
      if (!values->Append(static_cast<double>(i) + 0.5).ok()) return nullptr;
    }
  }
  return lists.Finish().ValueOrDie();
}

void EncodeColumn(benchmark::State& state, ValueType type,
                  const std::shared_ptr<arrow::Array>& column, EncodeNeeds needs) {
  const Field feature{.name = "f", .type = type};
  const auto encoder = FieldEncoder::Make(feature, column->type(), needs);
  if (!encoder.ok()) return state.SkipWithError(encoder.status().ToString().c_str());
  EncodedFeature out;
  for (auto _ : state) {
    out.values.Clear();
    out.text.Clear();
    out.text_valid.clear();
    int64_t failed_row = -1;
    const Status status = (*encoder)->Append(column, &out, &failed_row);
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
    benchmark::DoNotOptimize(out.values.data.data());
  }
  state.SetItemsProcessed(state.iterations() * column->length());
}

void EncodeAndFrame(benchmark::State& state, RedisCommand command) {
  const SyntheticRows rows{
      .rows = kRows, .keys = 1 << 30, .features = static_cast<int>(state.range(0))};
  const ViewColumns view = SyntheticView(rows);
  const auto batch = MakeBatch(rows, 0, kRows).ValueOrDie();
  const auto encoder = BatchEncoder::Make({&view, 1}, *batch->schema(), {}).ValueOrDie();
  const auto framing = MakeFraming(command, {&view, 1}).ValueOrDie();
  for (auto _ : state) {
    const auto encoded = encoder->Encode(*batch).ValueOrDie();
    benchmark::DoNotOptimize(framing->Frame(*encoded));
  }
  state.SetItemsProcessed(state.iterations() * kRows * state.range(0));
}

void Frame(benchmark::State& state, RedisCommand command) {
  const SyntheticRows rows{
      .rows = kRows, .keys = 1 << 30, .features = static_cast<int>(state.range(0))};
  const ViewColumns view = SyntheticView(rows);
  const auto batch = MakeBatch(rows, 0, kRows).ValueOrDie();
  const auto encoder = BatchEncoder::Make({&view, 1}, *batch->schema(), {}).ValueOrDie();
  const auto encoded = encoder->Encode(*batch).ValueOrDie();
  const auto framing = MakeFraming(command, {&view, 1}).ValueOrDie();
  for (auto _ : state) benchmark::DoNotOptimize(framing->Frame(*encoded));
  state.SetItemsProcessed(state.iterations() * kRows * state.range(0));
}

// Two workers, as everywhere in the goals; items are rows, their making included.
void Contest(benchmark::State& state) {
  const SyntheticRows rows{.rows = state.range(0), .keys = state.range(1)};
  for (auto _ : state) {
    const auto store = MakeSyntheticStore(rows);
    RowFates fates;
    MemoryBudget budget(int64_t{1} << 40);
    const PlanResources resources{.offline_store = store.get(),
                                  .targets = {},
                                  .fates = &fates,
                                  .retry = {},
                                  .clock = &SystemClock(),
                                  .workers = 2,
                                  .stop = {},
                                  .budget = &budget};
    TouchSink sink;
    auto plan = LowerPlan(SyntheticPlan(rows), resources);
    const Status status = plan.ok() ? plan->RunInto(&sink) : plan.status();
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations() * rows.rows);
}

void RegisterAll() {
  const auto encode = [](const char* name, ValueType type, std::shared_ptr<arrow::Array> column,
                         EncodeNeeds needs = {}) {
    benchmark::RegisterBenchmark(
        name, [=](benchmark::State& state) { EncodeColumn(state, type, column, needs); });
  };
  const auto doubles =
      ArrayOf<arrow::DoubleBuilder>([](int64_t i) { return static_cast<double>(i) / 7; });
  encode("encode/double", ValueType::kDouble, doubles);
  encode("encode/double_with_text", ValueType::kDouble, doubles, {.value_text = true});
  encode("encode/int64", ValueType::kInt64,
         ArrayOf<arrow::Int64Builder>([](int64_t i) { return i * 1'000'003; }));
  encode("encode/bool", ValueType::kBool,
         ArrayOf<arrow::BooleanBuilder>([](int64_t i) { return i % 3 == 0; }));
  encode("encode/string", ValueType::kString, ArrayOf<arrow::StringBuilder>([](int64_t i) {
           return "a word of driver " + std::to_string(i);
         }));
  encode("encode/double_list_of_8", ValueType::kDoubleList, DoubleLists());
  for (const auto& [name, command] :
       {std::pair("hset", RedisCommand::kHset), std::pair("restore", RedisCommand::kRestore)}) {
    const std::string word(name);
    benchmark::RegisterBenchmark(("frame/" + word).c_str(), Frame, command)->Arg(10)->Arg(100);
    benchmark::RegisterBenchmark(("encode_and_frame/" + word).c_str(), EncodeAndFrame, command)
        ->Arg(10)
        ->Arg(100);
  }
  benchmark::RegisterBenchmark("contest/rows/keys", Contest)
      ->Args({1'000'000, 10'000})
      ->Args({1'000'000, 1'000'000})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace banquet::bench

int main(int argc, char** argv) {
  if (!banquet::InitializeArrow().ok()) return 70;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  banquet::bench::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
