#include "banquet/exec/order_sink.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <random>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/exec/batch_for_test.h"
#include "banquet/exec/pipeline.h"
#include "banquet/exec/winner_source.h"

namespace banquet {
namespace {

const OrderNode kNode = {
    .input = 0,
    .join_keys = {{.name = "k", .type = ValueType::kInt64, .tags = {}, .description = {}}}};

std::vector<TestRow> ShuffledRows(int64_t count, uint64_t seed) {
  std::vector<TestRow> rows;
  for (int64_t key = 0; key < count; ++key) {
    rows.push_back({.key = key * 7 - 1000, .value = key, .event_us = 1, .created_us = {}});
  }
  std::shuffle(rows.begin(), rows.end(), std::mt19937_64(seed));
  return rows;
}

// The keys that come out, or why none do.
Result<std::vector<int64_t>> Ordered(const std::vector<TestRow>& rows, size_t batch_rows,
                                     int64_t memory, int workers) {
  const TemporaryDirectory directory;
  MemoryBudget budget(memory);
  BANQUET_ASSIGN_OR_RETURN(
      auto sink,
      MakeOrderSink(kNode, TestSchema(), {.budget = &budget, .spill_directory = directory.path()}));
  const Pipeline pipeline{
      std::make_unique<VectorSource>(CutIntoBatches(rows, batch_rows)), {}, sink.get()};
  BANQUET_RETURN_NOT_OK(RunPipeline(pipeline, workers, {}));
  BANQUET_ASSIGN_OR_RETURN(auto source, sink->Output());
  std::vector<int64_t> keys;
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const Batch batch, source->Next());
    if (batch.rows == nullptr) break;
    EXPECT_LE(batch.rows->num_rows(), kWriteBatchRows);
    const auto& column = static_cast<const arrow::Int64Array&>(*batch.rows->column(0));
    keys.insert(keys.end(), column.raw_values(), column.raw_values() + column.length());
  }
  return keys;
}

TEST(OrderSinkTest, OrdersAnyNumberOfRunsInMemoryAndOnDisk) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  const std::vector<TestRow> rows = ShuffledRows(20'000, seed);
  std::vector<int64_t> expected;
  for (const TestRow& row : rows) expected.push_back(*row.key);
  std::ranges::sort(expected, {},
                    [](int64_t key) { return __builtin_bswap64(static_cast<uint64_t>(key)); });
  // 200 runs: on disk they are merged twice.
  for (const int64_t memory : {int64_t{0}, int64_t{200'000}, int64_t{1} << 30}) {
    for (const int workers : {1, 3}) {
      ASSERT_OK_AND_ASSIGN(const auto keys, Ordered(rows, 100, memory, workers));
      EXPECT_EQ(keys, expected) << memory << " bytes, " << workers << " workers";
    }
  }
}

TEST(OrderSinkTest, AFullDiskIsTheErrorOfEveryWorker) {
  void (*old_handler)(int) = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old = {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit = {.rlim_cur = 100'000, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto keys = Ordered(ShuffledRows(20'000, 7), 100, 0, 3);
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_FAULT(Fault::kRemote, "banquet.spill_directory", keys);
}

}  // namespace
}  // namespace banquet
