#pragma once
// The contest for the newest row per key: what is known of the best row of each key so far.

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>

#include "banquet/base/memory_budget.h"
#include "banquet/base/status.h"
#include "banquet/exec/huge_array.h"

namespace banquet {

// The finer part of a row's times, of sources that keep nanoseconds or a created time.
struct FineTimes {
  int64_t created_us = 0;
  uint16_t event_nanos = 0;
  uint16_t created_nanos = 0;
  bool has_created = false;

  // Compares event nanoseconds, then created times; a null created time is the lowest.
  int Compare(const FineTimes& other) const;
};

// A row as it enters the contest. A key is a number, or bytes.
struct Entrant {
  uint64_t hash = 0;       // Its lower half alone is looked at here.
  uint64_t number = 0;     // The key, in a table of numbers.
  std::string_view bytes;  // The key, in a table of bytes.
  int64_t event_us = 0;
  int64_t position = 0;  // In the scan's input order, below 2^48.
  FineTimes fine;
};

// What a table must know of its rows.
struct ContestForm {
  bool number_keys = true;
  bool fine_times = false;  // The source has nanoseconds or created times.
};

// An open-addressing table over a dense array of 24 bytes per key (40 with fine times; the bytes of
// keys that are no numbers lie beside it). Memory comes from the budget in steps, the first of them
// whatever the budget says. Used by one thread at a time.
class ContestTable {
 public:
  // Borrows the budget.
  ContestTable(ContestForm form, MemoryBudget* budget);

  enum class Outcome { kTaken, kNoRoom };
  // kNoRoom: the row's key is not in the table and the budget gave no room for it. From then on the
  // table takes no further keys, so that a key is never both inside and outside; those it holds
  // still advance.
  Outcome Offer(const Entrant& entrant);

  // Fetches what Offer will touch for a row with this hash, ahead of time: first the slot, some
  // rows later what the slot leads to.
  void PrefetchSlot(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
  void PrefetchEntry(uint64_t hash) const;

  // Keys.
  size_t size() const { return size_; }
  int64_t position(size_t entry) const { return entries_[entry].position(); }
  // Rows that tie with the winner of their key in all times and lost by their position.
  int64_t full_ties() const;
  // Whether the key is held with an event time after `event_us`.
  bool HoldsNewer(uint64_t hash, uint64_t number, int64_t event_us) const;

 private:
  struct Slot {
    uint32_t tag = 0;    // The hash's lower half, of which the lowest bits say where it belongs.
    uint32_t entry = 0;  // Its number + 1; 0: empty.
  };
  struct Entry {
    uint64_t key = 0;  // The number, or where in keys_ length and bytes stand.
    int64_t event_us = 0;
    uint64_t place = 0;  // Position in the lower 48 bits; above it the ties, if they are few.

    int64_t position() const { return static_cast<int64_t>(place & kPositionMask); }
  };
  static constexpr int kPositionBits = 48;
  static constexpr uint64_t kPositionMask = (uint64_t{1} << kPositionBits) - 1;
  static constexpr uint64_t kTiesMax = (uint64_t{1} << (64 - kPositionBits)) - 1;

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }
  bool HasKey(const Entry& entry, const Entrant& entrant) const;
  void Contend(size_t index, const Entrant& entrant);
  void SetPlace(Entry* entry, int64_t position, uint64_t ties);
  uint64_t TiesOf(const Entry& entry) const;
  Outcome Insert(const Entrant& entrant);
  bool MakeRoom(const Entrant& entrant);
  bool TakeStep(bool first, size_t bytes);
  bool GrowSlots();
  bool GrowEntries();
  bool GrowKeys(size_t bytes);

  const ContestForm form_;
  MemoryLease lease_;
  HugeArray<Slot> slots_;  // A power of two.
  uint64_t mask_ = 0;
  size_t size_ = 0;
  size_t room_ = 0;  // Entries that the budget has given.
  HugeArray<Entry> entries_;
  HugeArray<FineTimes> fine_;  // Beside entries_; empty without fine times.
  bool full_ = false;
  HugeArray<char> keys_;
  size_t keys_used_ = 0;
  size_t keys_room_ = 0;
  std::unordered_map<uint64_t, uint64_t> many_ties_;  // By position of the winner.
};

}  // namespace banquet
