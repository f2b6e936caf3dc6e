#include "banquet/exec/latest_sink.h"

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "banquet/base/testing.h"
#include "banquet/exec/batch_for_test.h"
#include "banquet/exec/pipeline.h"

namespace banquet {
namespace {

const LatestNode kNode = {
    .input = 0,
    .join_keys = {{.name = "k", .type = ValueType::kInt64, .tags = {}, .description = {}}}};

struct Winners {
  std::map<int64_t, int64_t> value_of_key;
  std::vector<int64_t> order;  // Keys as they came out.
  int64_t duplicates = 0;
  int64_t full_ties = 0;
  int64_t winners = 0;
};

Winners RunLatest(const std::vector<TestRow>& rows, size_t batch_rows, int workers,
                  WriteOrder order = WriteOrder::kAny) {
  RowFates fates;
  LatestNode node = kNode;
  node.order = order;
  auto sink = MakeLatestSink(node, *TestSchema(), &fates).ValueOrDie();
  const Pipeline pipeline{
      std::make_unique<VectorSource>(CutIntoBatches(rows, batch_rows)), {}, sink.get()};
  EXPECT_OK(RunPipeline(pipeline, workers, {}));
  auto source = sink->Output().ValueOrDie();
  Winners winners{
      .duplicates = fates.duplicates, .full_ties = fates.full_ties, .winners = fates.winners};
  while (true) {
    const Batch batch = source->Next().ValueOrDie();
    if (batch.rows == nullptr) break;
    const auto& keys = static_cast<const arrow::Int64Array&>(*batch.rows->column(0));
    const auto& values = static_cast<const arrow::Int64Array&>(*batch.rows->column(1));
    for (int64_t i = 0; i < batch.rows->num_rows(); ++i) {
      EXPECT_TRUE(winners.value_of_key.emplace(keys.Value(i), values.Value(i)).second)
          << "a key came twice";
      winners.order.push_back(keys.Value(i));
    }
  }
  return winners;
}

TEST(LatestSinkTest, KeepsTheGreatestEventTime) {
  const Winners winners = RunLatest({{1, 10, 100}, {1, 11, 300}, {1, 12, 200}, {2, 20, 5}}, 2, 2);
  EXPECT_EQ(winners.value_of_key, (std::map<int64_t, int64_t>{{1, 11}, {2, 20}}));
  EXPECT_EQ(winners.duplicates, 2);
  EXPECT_EQ(winners.winners, 2);
}

TEST(LatestSinkTest, NanosecondsDecideWithinAMicrosecond) {
  const Winners winners =
      RunLatest({{1, 10, 100, {}, 7}, {1, 11, 100, {}, 8}, {1, 12, 100, {}, 6}}, 8, 1);
  EXPECT_EQ(winners.value_of_key.at(1), 11);
}

TEST(LatestSinkTest, KeepsTheLaterCreatedRowWhenEventTimesTieAndNullIsLowest) {
  const Winners winners = RunLatest({{1, 10, 100, {}}, {1, 11, 100, -5}, {1, 12, 100, -6}}, 8, 1);
  EXPECT_EQ(winners.value_of_key.at(1), 11);
}

TEST(LatestSinkTest, TheFirstRowWinsAFullTieAndTheOthersAreCounted) {
  for (const size_t batch_rows : {1, 2, 8}) {
    const Winners winners =
        RunLatest({{1, 10, 100, 1}, {1, 11, 100, 1}, {1, 12, 100, 1}, {2, 20, 1, 1}, {2, 21, 2, 1}},
                  batch_rows, 2);
    EXPECT_EQ(winners.value_of_key, (std::map<int64_t, int64_t>{{1, 10}, {2, 21}})) << batch_rows;
    EXPECT_EQ(winners.full_ties, 2);
  }
}

TEST(LatestSinkTest, NoRowsGiveNoWinners) { EXPECT_TRUE(RunLatest({}, 8, 2).order.empty()); }

TEST(LatestSinkTest, ComesOutByKeyWhereTheStoreAsksForIt) {
  std::vector<TestRow> rows;
  for (int64_t key = 1000; key-- > 0;)
    rows.push_back({.key = key, .value = key, .event_us = 1, .created_us = {}});
  const Winners winners = RunLatest(rows, 64, 2, WriteOrder::kByKey);
  // The serialized int64 is little-endian: the order of its bytes.
  const auto bytes = [](int64_t key) { return std::tuple(key & 0xff, (key >> 8) & 0xff); };
  ASSERT_EQ(winners.order.size(), 1000u);
  for (size_t i = 1; i < winners.order.size(); ++i)
    EXPECT_LT(bytes(winners.order[i - 1]), bytes(winners.order[i]));
}

TEST(LatestSinkTest, AgreesWithANaiveModelForEveryBatchSizeAndWorkerCount) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<TestRow> rows;
  for (int i = 0; i < 20'000; ++i) {
    TestRow row{.key = static_cast<int64_t>(random() % 700),
                .value = i,
                .event_us = static_cast<int64_t>(random() % 40)};
    if (random() % 3 != 0) row.created_us = static_cast<int64_t>(random() % 4);
    row.event_nanos = static_cast<uint16_t>(random() % 2);
    rows.push_back(row);
  }
  using Rank = std::tuple<int64_t, uint16_t, bool, int64_t>;
  const auto rank = [](const TestRow& row) {
    return Rank(*row.event_us, row.event_nanos, row.created_us.has_value(),
                row.created_us.value_or(0));
  };
  std::map<int64_t, int64_t> expected;
  int64_t ties = 0;
  for (const TestRow& row : rows) {
    auto [best, fresh] = expected.emplace(*row.key, row.value);
    if (!fresh && rank(row) > rank(rows[best->second])) best->second = row.value;
  }
  for (const TestRow& row : rows) {
    const int64_t best = expected.at(*row.key);
    ties += row.value != best && rank(row) == rank(rows[best]) ? 1 : 0;
  }
  for (const size_t batch_rows : {7, 512, 30'000}) {
    for (const int workers : {1, 2, 5}) {
      const Winners winners = RunLatest(rows, batch_rows, workers);
      EXPECT_EQ(winners.value_of_key, expected)
          << batch_rows << " rows a batch, " << workers << " workers";
      EXPECT_EQ(winners.full_ties, ties);
      EXPECT_EQ(winners.duplicates + winners.winners, 20'000);
    }
  }
}

TEST(LatestSinkTest, CompactionKeepsEveryWinner) {
  // Far more rows than keys: losers' batches are given back while the contest runs.
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 700'000; ++i)
    rows.push_back({.key = i % 1000, .value = i, .event_us = i / 1000, .created_us = {}});
  const Winners winners = RunLatest(rows, 16'384, 2);
  ASSERT_EQ(winners.value_of_key.size(), 1000u);
  for (const auto& [key, value] : winners.value_of_key) EXPECT_EQ(value, 699'000 + key);
}

}  // namespace
}  // namespace banquet
