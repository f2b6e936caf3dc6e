#pragma once
// The contest of all workers: tables by hash, and a file for the rows that find no room in them.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/base/memory_budget.h"
#include "banquet/base/status.h"
#include "banquet/exec/contest_table.h"
#include "banquet/exec/entrants.h"
#include "banquet/exec/spill_pages.h"
#include "banquet/exec/winner_map.h"

namespace banquet {

// What one worker reuses from batch to batch.
struct ContestScratch {
  std::vector<uint64_t> hashes;
  std::vector<uint32_t> order;  // Rows by partition.
};

struct ContestSettings {
  ContestForm form;
  MemoryBudget* budget = nullptr;  // Borrowed.
  std::string spill_directory;
  std::stop_token stop;  // Looked at while spilled rows are read again.
};

// Keys are divided by hash into partitions, each with a table and a lock of its own, so that
// workers share one state. A partition that the budget refuses more memory keeps letting its keys
// advance, and spills the rows of other keys; what was spilled is contested by itself at the end,
// divided further where that is needed. The winners are the same whatever was spilled.
class Contest {
 public:
  explicit Contest(ContestSettings settings);
  ~Contest();

  // Safe to call from every worker, each with a scratch of its own.
  Status Offer(const Entrants& entrants, ContestScratch* scratch);

  // After the last Offer, once: marks the winners, and gives back all memory.
  Status Finish(WinnerMap* winners);

  // Whether every one of the whole numbers is a key whose best row so far is later than `event_us`:
  // no row of those keys with an event time up to that one can win. Gives up, with false, at the
  // first that is not; safe while workers offer.
  bool AllHoldNewer(int64_t least, int64_t greatest, int64_t event_us);

  int64_t winners() const { return winners_; }      // Valid after Finish.
  int64_t full_ties() const { return full_ties_; }  // Valid after Finish.
  int64_t spilled_rows() const { return spilled_rows_; }

 private:
  static constexpr int kPartitionBits = 4;
  static constexpr size_t kPartitions = size_t{1} << kPartitionBits;
  static constexpr int kLevelMax = 7;  // The upper half of a hash tells so many divisions apart.

  struct Partition {
    std::mutex mutex;
    std::unique_ptr<ContestTable> table;
    std::optional<SpillPages> spilled;  // Once rows of it are.
  };

  Contest(const ContestSettings& settings, SpillFile* file, int level);
  size_t PartitionOf(uint64_t hash) const;
  void Divide(const Entrants& entrants, ContestScratch* scratch,
              std::array<uint32_t, kPartitions + 1>* begins) const;
  Status OfferTo(Partition* partition, const Entrants& entrants, const ContestScratch& scratch,
                 std::span<const uint32_t> rows);
  Status Spill(Partition* partition, const Entrant& entrant);
  Status FinishSpilled(const SpillPages& pages, WinnerMap* winners);

  const ContestSettings settings_;
  const int level_;  // 0, or how often the rows were spilled before.
  std::array<Partition, kPartitions> partitions_;
  std::atomic<uint32_t> turn_ = 0;  // Where the next batch begins, so that workers meet seldom.
  std::mutex file_mutex_;
  std::unique_ptr<SpillFile> own_file_;
  SpillFile* file_ = nullptr;  // The first contest's, for all levels.
  std::atomic<int64_t> spilled_rows_ = 0;
  int64_t winners_ = 0;
  int64_t full_ties_ = 0;
};

}  // namespace banquet
