#include "banquet/exec/latest_sink.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <random>
#include <set>
#include <tuple>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/exec/batch_for_test.h"
#include "banquet/exec/order_sink.h"
#include "banquet/exec/pipeline.h"
#include "banquet/exec/scan_source.h"
#include "banquet/exec/winner_source.h"

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
  int64_t pruned = 0;
  int64_t read = 0;
  int64_t spilled = 0;
};

// How the contest is run; the winners are the same for all.
struct Way {
  size_t batch_rows = 512;
  int workers = 2;
  bool late = true;
  bool by_key = false;
  bool skip = false;
  int64_t memory = int64_t{1} << 30;
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << way.batch_rows << " rows a batch, " << way.workers << " workers, late " << way.late
             << ", by key " << way.by_key << ", skip " << way.skip << ", memory " << way.memory;
}

Winners RunLatest(const std::vector<TestRow>& rows, const Way& way) {
  RowFates fates;
  MemoryBudget budget(way.memory);
  const TemporaryDirectory directory;
  VectorOfflineStore store(rows, way.batch_rows);
  const auto scan = std::make_shared<const Scan>(store.OpenScan({}).ValueOrDie());
  ScanReading reading{.scan = scan,
                      .columns = way.late ? std::vector<int>{0} : scan->AllColumns(),
                      .fragments = NewestFirst(*scan),
                      .may_skip = {},
                      .fates = &fates};
  const auto whole = TestSchema();
  const auto schema =
      way.late ? arrow::schema({whole->field(0), whole->field(2), whole->field(3), whole->field(4)})
               : whole;
  auto sink = MakeLatestSink(kNode, *schema,
                             {.ranges = RangesOf(*scan),
                              .recall = way.late ? MakeScanRecall(scan, &fates)
                                                 : MakeSpoolRecall(&budget, directory.path()),
                              .budget = &budget,
                              .spill_directory = directory.path(),
                              .fates = &fates})
                  .ValueOrDie();
  if (way.skip) {
    reading.may_skip = [&sink](const ScanFragment& fragment) {
      return sink->CannotWin(fragment, 0);
    };
  }
  const Pipeline pipeline{MakeScanSource(std::move(reading)), {}, sink.get()};
  EXPECT_OK(RunPipeline(pipeline, way.workers, {}));
  auto source = sink->Output().ValueOrDie();
  auto order = MakeOrderSink({.join_keys = kNode.join_keys}, whole,
                             {.budget = &budget, .spill_directory = directory.path()})
                   .ValueOrDie();
  if (way.by_key) {
    EXPECT_OK(RunPipeline({std::move(source), {}, order.get()}, way.workers, {}));
    source = order->Output().ValueOrDie();
  }
  EXPECT_TRUE(directory.Names().empty()) << "a spill file has a name";
  Winners winners{.duplicates = fates.duplicates,
                  .full_ties = fates.full_ties,
                  .winners = fates.winners,
                  .pruned = fates.pruned,
                  .read = fates.read,
                  .spilled = sink->spilled_rows()};
  while (true) {
    const Batch batch = source->Next().ValueOrDie();
    if (batch.rows == nullptr) break;
    EXPECT_LE(batch.rows->num_rows(), kWriteBatchRows);
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

// The serialized int64 is little-endian: the order of its bytes.
bool IsInKeyOrder(const std::vector<int64_t>& keys) {
  return std::ranges::is_sorted(
      keys, {}, [](int64_t key) { return __builtin_bswap64(static_cast<uint64_t>(key)); });
}

TEST(LatestSinkTest, KeepsTheGreatestEventTime) {
  const Winners winners =
      RunLatest({{1, 10, 100}, {1, 11, 300}, {1, 12, 200}, {2, 20, 5}}, {.batch_rows = 2});
  EXPECT_EQ(winners.value_of_key, (std::map<int64_t, int64_t>{{1, 11}, {2, 20}}));
  EXPECT_EQ(winners.duplicates, 2);
  EXPECT_EQ(winners.winners, 2);
}

TEST(LatestSinkTest, NanosecondsDecideWithinAMicrosecond) {
  const Winners winners =
      RunLatest({{1, 10, 100, {}, 7}, {1, 11, 100, {}, 8}, {1, 12, 100, {}, 6}}, {.workers = 1});
  EXPECT_EQ(winners.value_of_key.at(1), 11);
}

TEST(LatestSinkTest, KeepsTheLaterCreatedRowWhenEventTimesTieAndNullIsLowest) {
  const Winners winners =
      RunLatest({{1, 10, 100, {}}, {1, 11, 100, -5}, {1, 12, 100, -6}}, {.workers = 1});
  EXPECT_EQ(winners.value_of_key.at(1), 11);
}

TEST(LatestSinkTest, TheFirstRowWinsAFullTieAndTheOthersAreCounted) {
  for (const size_t batch_rows : {1, 2, 8}) {
    const Winners winners =
        RunLatest({{1, 10, 100, 1}, {1, 11, 100, 1}, {1, 12, 100, 1}, {2, 20, 1, 1}, {2, 21, 2, 1}},
                  {.batch_rows = batch_rows});
    EXPECT_EQ(winners.value_of_key, (std::map<int64_t, int64_t>{{1, 10}, {2, 21}})) << batch_rows;
    EXPECT_EQ(winners.full_ties, 2);
  }
}

TEST(LatestSinkTest, NoRowsGiveNoWinners) {
  EXPECT_TRUE(RunLatest({}, {}).order.empty());
  EXPECT_TRUE(RunLatest({}, {.late = false, .by_key = true}).order.empty());
}

TEST(LatestSinkTest, ComesOutByKeyWhereTheStoreAsksForIt) {
  std::vector<TestRow> rows;
  for (int64_t key = 30'000; key-- > 0;)
    rows.push_back({.key = key, .value = key, .event_us = 1, .created_us = {}});
  for (const int64_t memory : {int64_t{1} << 30, int64_t{1} << 17}) {
    const Winners winners = RunLatest(rows, {.batch_rows = 64, .by_key = true, .memory = memory});
    ASSERT_EQ(winners.order.size(), 30'000u);
    EXPECT_TRUE(IsInKeyOrder(winners.order));
  }
}

TEST(LatestSinkTest, SkipsFragmentsThatCannotWin) {
  // Fragments of 1,000 rows over the same 100 keys, each older than the one before.
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 10'000; ++i)
    rows.push_back({.key = i % 100, .value = i, .event_us = 100 - i / 100, .created_us = {}});
  const Winners winners = RunLatest(rows, {.batch_rows = 1000, .workers = 1, .skip = true});
  EXPECT_EQ(winners.pruned, 9000);
  EXPECT_EQ(winners.read, 1000);
  for (const auto& [key, value] : winners.value_of_key) EXPECT_EQ(value, key);
  EXPECT_EQ(winners.value_of_key.size(), 100u);
}

TEST(LatestSinkTest, SkippingWhileOthersConsumeChangesNoWinner) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 5; ++round) {
    // Times ascend with the rows save for a disorder larger than a fragment's span.
    std::vector<TestRow> rows;
    for (int64_t i = 0; i < 60'000; ++i) {
      rows.push_back({.key = static_cast<int64_t>(random() % 200),
                      .value = i,
                      .event_us = i / 100 + static_cast<int64_t>(random() % 15)});
    }
    const Winners all = RunLatest(rows, {.batch_rows = 1000, .workers = 1});
    const Winners skipped = RunLatest(rows, {.batch_rows = 1000, .workers = 5, .skip = true});
    EXPECT_GT(skipped.pruned, 0);
    EXPECT_EQ(skipped.read + skipped.pruned, 60'000);
    EXPECT_EQ(skipped.value_of_key, all.value_of_key);
    EXPECT_EQ(skipped.full_ties, all.full_ties);
  }
}

TEST(LatestSinkTest, DoesNotAskForMoreKeysThanItIsWorth) {
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 10'000; ++i)
    rows.push_back({.key = i % 1000, .value = i, .event_us = 10 - i / 1000, .created_us = {}});
  const Winners winners = RunLatest(rows, {.batch_rows = 1000, .workers = 1, .skip = true});
  EXPECT_EQ(winners.pruned, 0);
  EXPECT_EQ(winners.value_of_key.size(), 1000u);
}

TEST(LatestSinkTest, DoesNotSkipAFragmentWithATieOrAnUnseenKey) {
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 100; ++i) rows.push_back({.key = i % 10, .value = i, .event_us = 5});
  for (int64_t i = 0; i < 100; ++i)
    rows.push_back({.key = i % 10, .value = 100 + i, .event_us = 5});
  for (int64_t i = 0; i < 100; ++i)
    rows.push_back({.key = i % 10 + 1, .value = 200 + i, .event_us = 4});
  const Winners winners = RunLatest(rows, {.batch_rows = 100, .workers = 1, .skip = true});
  EXPECT_EQ(winners.pruned, 0);
  EXPECT_EQ(winners.full_ties, 10 * 19 + 9);
  EXPECT_EQ(winners.value_of_key.at(10), 209);
  EXPECT_EQ(winners.value_of_key.at(7), 7);
}

TEST(LatestSinkTest, CountsTiesBeyondWhatAnEntryHolds) {
  std::vector<TestRow> rows(70'000, TestRow{.key = 1, .value = 1, .event_us = 5});
  rows.front().value = 0;
  EXPECT_EQ(RunLatest(rows, {.batch_rows = 10'000}).full_ties, 69'999);
  rows.push_back({.key = 1, .value = 2, .event_us = 6});
  EXPECT_EQ(RunLatest(rows, {.batch_rows = 10'000}).full_ties, 0);
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
      for (const bool late : {false, true}) {
        const Way way{.batch_rows = batch_rows,
                      .workers = workers,
                      .late = late,
                      .by_key = random() % 2 == 0,
                      .skip = random() % 2 == 0};
        SCOPED_TRACE(::testing::Message() << way);
        const Winners winners = RunLatest(rows, way);
        EXPECT_EQ(winners.value_of_key, expected);
        EXPECT_EQ(winners.full_ties, ties);
        EXPECT_EQ(winners.duplicates + winners.winners + winners.pruned, 20'000);
        EXPECT_TRUE(!way.by_key || IsInKeyOrder(winners.order));
      }
    }
  }
}

TEST(LatestSinkTest, TheWinnersAreTheSameWhateverIsSpilled) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<TestRow> rows;
  for (int i = 0; i < 300'000; ++i) {
    rows.push_back({.key = static_cast<int64_t>(random() % 90'000),
                    .value = i,
                    .event_us = static_cast<int64_t>(random() % 5)});
  }
  const Winners expected = RunLatest(rows, {.batch_rows = 20'000});
  EXPECT_EQ(expected.spilled, 0);
  for (const bool late : {false, true}) {
    for (const int64_t memory : {int64_t{4} << 20, int64_t{1} << 20, int64_t{0}}) {
      const Way way{.batch_rows = 20'000, .late = late, .by_key = true, .memory = memory};
      SCOPED_TRACE(::testing::Message() << way);
      const Winners winners = RunLatest(rows, way);
      EXPECT_GT(winners.spilled, 0);
      EXPECT_EQ(winners.value_of_key, expected.value_of_key);
      EXPECT_EQ(winners.full_ties, expected.full_ties);
      EXPECT_EQ(winners.duplicates, expected.duplicates);
      EXPECT_TRUE(IsInKeyOrder(winners.order));
    }
  }
}

TEST(LatestSinkTest, ASpillDirectoryThatIsMissingIsTheUsersToMend) {
  std::vector<TestRow> rows;
  for (int64_t i = 0; i < 100'000; ++i) rows.push_back({.key = i, .value = i, .event_us = 1});
  RowFates fates;
  MemoryBudget budget(0);
  VectorOfflineStore store(rows, 10'000);
  const auto scan = std::make_shared<const Scan>(store.OpenScan({}).ValueOrDie());
  auto sink = MakeLatestSink(kNode, *TestSchema(),
                             {.ranges = RangesOf(*scan),
                              .recall = MakeScanRecall(scan, &fates),
                              .budget = &budget,
                              .spill_directory = "/missing/folder",
                              .fates = &fates})
                  .ValueOrDie();
  auto source = MakeScanSource({.scan = scan,
                                .columns = scan->AllColumns(),
                                .fragments = InInputOrder(*scan),
                                .may_skip = {},
                                .fates = &fates});
  EXPECT_FAULT(Fault::kUser, "banquet.spill_directory",
               RunPipeline({std::move(source), {}, sink.get()}, 2, {}));
}

}  // namespace
}  // namespace banquet
