#include "banquet/exec/contest.h"

#include <cerrno>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/system_call_faults.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {
namespace {

struct Row {
  int64_t key = 0;
  int64_t event_us = 0;
  FineTimes fine;
};

struct Form {
  bool number_keys = true;
  bool fine_times = true;
  int64_t memory = 0;
  int workers = 1;
};

// Bytes of many lengths, with a common start as keys have.
std::string BytesOf(int64_t key) {
  return "key:" + std::to_string(key) + std::string(static_cast<size_t>(key % 37), 'x');
}

struct Outcome {
  std::vector<uint32_t> winners;  // Positions, ascending.
  int64_t full_ties = 0;
  int64_t spilled = 0;
};

Outcome RunContest(const std::vector<Row>& rows, const Form& form) {
  const TemporaryDirectory directory;
  MemoryBudget budget(form.memory);
  Outcome result;
  {
    Contest contest({.form = {.number_keys = form.number_keys, .fine_times = form.fine_times},
                     .budget = &budget,
                     .spill_directory = directory.path()});
    const size_t share = (rows.size() + form.workers - 1) / static_cast<size_t>(form.workers);
    {
      std::vector<std::jthread> workers;
      for (int worker = 0; worker < form.workers; ++worker) {
        workers.emplace_back([&, worker] {
          ContestScratch scratch;
          Entrants entrants;
          const size_t begin = share * static_cast<size_t>(worker);
          const size_t end = std::min(rows.size(), begin + share);
          for (size_t first = begin; first < end; first += 3000) {
            entrants.Clear();
            entrants.bytes_skipped = 4;
            for (size_t i = first; i < std::min(end, first + 3000); ++i) {
              if (form.number_keys) {
                entrants.numbers.push_back(static_cast<uint64_t>(rows[i].key));
              } else {
                entrants.bytes.data += BytesOf(rows[i].key);
                entrants.bytes.Close();
              }
              entrants.event_us.push_back(rows[i].event_us);
              entrants.positions.push_back(static_cast<int64_t>(i));
              if (form.fine_times) entrants.fine.push_back(rows[i].fine);
            }
            EXPECT_OK(contest.Offer(entrants, &scratch));
          }
        });
      }
    }
    WinnerMap map({{.first_row = 0, .rows = static_cast<int64_t>(rows.size())}}, &budget);
    EXPECT_OK(contest.Finish(&map));
    map.AppendRows(0, static_cast<int64_t>(rows.size()), &result.winners);
    EXPECT_EQ(contest.winners(), static_cast<int64_t>(result.winners.size()));
    result.full_ties = contest.full_ties();
    result.spilled = contest.spilled_rows();
  }
  EXPECT_EQ(budget.used(), 0) << "memory was not given back";
  EXPECT_TRUE(directory.Names().empty());
  return result;
}

Outcome NaiveContest(const std::vector<Row>& rows, bool fine_times) {
  using Rank = std::tuple<int64_t, uint16_t, bool, int64_t, uint16_t>;
  const auto rank = [&](const Row& row) {
    if (!fine_times) return Rank(row.event_us, 0, false, 0, 0);
    return Rank(row.event_us, row.fine.event_nanos, row.fine.has_created, row.fine.created_us,
                row.fine.created_nanos);
  };
  std::map<int64_t, uint32_t> best;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const auto [place, is_new] = best.emplace(rows[i].key, i);
    if (!is_new && rank(rows[i]) > rank(rows[place->second])) place->second = i;
  }
  Outcome result;
  for (const auto& [key, row] : best) result.winners.push_back(row);
  std::ranges::sort(result.winners);
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const uint32_t winner = best.at(rows[i].key);
    result.full_ties += i != winner && rank(rows[i]) == rank(rows[winner]) ? 1 : 0;
  }
  return result;
}

TEST(ContestTest, AgreesWithANaiveModelForEveryFormOfKeysAndTimesAndAnyMemory) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<Row> rows;
  for (int i = 0; i < 120'000; ++i) {
    Row row{.key = static_cast<int64_t>(random() % 60'000),
            .event_us = static_cast<int64_t>(random() % 4) - 2};
    row.fine.has_created = random() % 2 == 0;
    if (row.fine.has_created) row.fine.created_us = static_cast<int64_t>(random() % 3) - 1;
    row.fine.event_nanos = static_cast<uint16_t>(random() % 2);
    rows.push_back(row);
  }
  for (const bool fine_times : {false, true}) {
    const Outcome expected = NaiveContest(rows, fine_times);
    for (const bool number_keys : {false, true}) {
      for (const int64_t memory : {int64_t{0}, int64_t{2} << 20, int64_t{1} << 30}) {
        const Form form{.number_keys = number_keys,
                        .fine_times = fine_times,
                        .memory = memory,
                        .workers = 1 + static_cast<int>(random() % 3)};
        SCOPED_TRACE(::testing::Message() << "numbers " << number_keys << ", fine " << fine_times
                                          << ", memory " << memory << ", workers " << form.workers);
        const Outcome result = RunContest(rows, form);
        EXPECT_EQ(result.winners, expected.winners);
        EXPECT_EQ(result.full_ties, expected.full_ties);
        EXPECT_EQ(result.spilled > 0, memory < int64_t{1} << 30);
      }
    }
  }
}

TEST(ContestTest, AKeyOfAMegabyteFindsItsWay) {
  MemoryBudget budget(int64_t{1} << 30);
  Contest contest({.form = {.number_keys = false, .fine_times = false}, .budget = &budget});
  Entrants entrants;
  for (int i = 0; i < 4; ++i) {
    entrants.bytes.data += std::string(size_t{1} << 20, static_cast<char>('a' + i % 2));
    entrants.bytes.Close();
    entrants.event_us.push_back(i);
    entrants.positions.push_back(i);
  }
  ContestScratch scratch;
  ASSERT_OK(contest.Offer(entrants, &scratch));
  WinnerMap map({{.first_row = 0, .rows = 4}}, &budget);
  ASSERT_OK(contest.Finish(&map));
  std::vector<uint32_t> winners;
  map.AppendRows(0, 4, &winners);
  EXPECT_EQ(winners, (std::vector<uint32_t>{2, 3}));
}

// A contest of more keys than its memory holds, from the first row to the winners.
Status RunSpilling(const std::string& directory, std::vector<uint32_t>* winners) {
  constexpr int kRows = 80'000;
  MemoryBudget budget(0);
  Contest contest({.form = {}, .budget = &budget, .spill_directory = directory});
  ContestScratch scratch;
  for (int first = 0; first < kRows; first += 4000) {
    Entrants entrants;
    for (int i = first; i < first + 4000; ++i) {
      entrants.numbers.push_back(static_cast<uint64_t>(i % (kRows / 2)));
      entrants.event_us.push_back(i);
      entrants.positions.push_back(i);
    }
    BANQUET_RETURN_NOT_OK(contest.Offer(entrants, &scratch));
  }
  WinnerMap map({{.first_row = 0, .rows = kRows}}, &budget);
  BANQUET_RETURN_NOT_OK(contest.Finish(&map));
  winners->clear();
  map.AppendRows(0, kRows, winners);
  return Status::OK();
}

TEST(ContestTest, TheNthWriteOrReadOfItsFileThatFailsEndsItWithOneClearError) {
  const TemporaryDirectory directory;
  std::vector<uint32_t> expected;
  ASSERT_OK(RunSpilling(directory.path(), &expected));
  ASSERT_EQ(expected.size(), 40'000u);
  EXPECT_EQ(expected.front(), 40'000u);
  for (const FaultPoint point : {FaultPoint::kSpillWrite, FaultPoint::kSpillRead}) {
    int failures = 0;
    while (true) {
      SCOPED_TRACE(::testing::Message() << "call " << failures);
      const ScopedSystemCallFault fault(point, EIO, /*times=*/1, /*passed=*/failures);
      std::vector<uint32_t> winners;
      const Status status = RunSpilling(directory.path(), &winners);
      EXPECT_TRUE(directory.Names().empty());
      if (!fault.has_struck()) {
        EXPECT_OK(status);
        EXPECT_EQ(winners, expected);
        break;
      }
      ++failures;
      EXPECT_FAULT(Fault::kRemote, "banquet.spill_directory", status);
    }
    EXPECT_GT(failures, 16);  // A page of each partition at least.
  }
}

TEST(ContestTest, AStopWhileSpilledRowsAreReadCancels) {
  const TemporaryDirectory directory;
  MemoryBudget budget(0);
  std::stop_source stop;
  Contest contest({.form = {},
                   .budget = &budget,
                   .spill_directory = directory.path(),
                   .stop = stop.get_token()});
  Entrants entrants;
  for (int i = 0; i < 100'000; ++i) {
    entrants.numbers.push_back(static_cast<uint64_t>(i));
    entrants.event_us.push_back(i);
    entrants.positions.push_back(i);
  }
  ContestScratch scratch;
  ASSERT_OK(contest.Offer(entrants, &scratch));
  stop.request_stop();
  WinnerMap map({{.first_row = 0, .rows = 100'000}}, &budget);
  EXPECT_FAULT(Fault::kCancelled, "", contest.Finish(&map));
}

}  // namespace
}  // namespace banquet
