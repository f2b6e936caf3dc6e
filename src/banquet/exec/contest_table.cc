#include "banquet/exec/contest_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <tuple>

#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

constexpr size_t kFirstSlots = 256;
// Of the slots, in tenths: beyond it probing gets long.
constexpr size_t kLoadMax_tenths = 7;
// Entries and key bytes are taken from the budget in steps of so many.
constexpr size_t kEntryStep = 1024;
constexpr size_t kKeyStepBytes = 32 * 1024;

template <typename T>
bool GrowArray(HugeArray<T>* array, size_t needed, size_t first) {
  return array->size() >= needed || array->Grow(std::max({needed, array->size() * 2, first}));
}

// What an array of `size` elements is enlarged by: `first`, or what a huge page holds once it has
// such pages, which come into memory whole.
size_t StepOf(size_t size, size_t first, size_t element_bytes) {
  const bool is_huge = size * element_bytes >= HugeArray<char>::kHugeFromBytes;
  return is_huge ? HugeArray<char>::kPageBytes / element_bytes : first;
}

static_assert(kScanRowsMax == int64_t{1} << 48, "Positions have 48 bits beside the ties");

}  // namespace

int FineTimes::Compare(const FineTimes& other) const {
  const auto mine = std::tie(event_nanos, has_created, created_us, created_nanos);
  const auto theirs =
      std::tie(other.event_nanos, other.has_created, other.created_us, other.created_nanos);
  if (mine == theirs) return 0;
  return mine < theirs ? -1 : 1;
}

ContestTable::ContestTable(ContestForm form, MemoryBudget* budget) : form_(form), lease_(budget) {
  if (!slots_.Grow(kFirstSlots)) throw std::bad_alloc();  // As any other member would.
  mask_ = kFirstSlots - 1;
  lease_.Grow(static_cast<int64_t>(kFirstSlots * sizeof(Slot)));
}

void ContestTable::PrefetchEntry(uint64_t hash) const {
  const Slot& slot = slots_[hash & mask_];
  if (slot.entry != 0) __builtin_prefetch(&entries_[slot.entry - 1]);
}

bool ContestTable::HasKey(const Entry& entry, const Entrant& entrant) const {
  if (form_.number_keys) return entry.key == entrant.number;
  uint32_t size = 0;
  std::memcpy(&size, keys_.data() + entry.key, sizeof(size));
  return size == entrant.bytes.size() &&
         std::memcmp(keys_.data() + entry.key + sizeof(size), entrant.bytes.data(), size) == 0;
}

ContestTable::Outcome ContestTable::Offer(const Entrant& entrant) {
  const uint32_t tag = TagOf(entrant.hash);
  for (uint64_t at = entrant.hash & mask_; slots_[at].entry != 0; at = (at + 1) & mask_) {
    if (slots_[at].tag != tag) continue;
    const size_t index = slots_[at].entry - 1;
    if (!HasKey(entries_[index], entrant)) continue;
    Contend(index, entrant);
    return Outcome::kTaken;
  }
  return Insert(entrant);
}

void ContestTable::Contend(size_t index, const Entrant& entrant) {
  Entry& entry = entries_[index];
  if (entrant.event_us < entry.event_us) return;
  int order = entrant.event_us > entry.event_us ? 1 : 0;
  if (order == 0 && form_.fine_times) order = entrant.fine.Compare(fine_[index]);
  if (order < 0) return;
  const uint64_t ties = order > 0 ? 0 : TiesOf(entry) + 1;
  const bool wins = order > 0 || entrant.position < entry.position();
  if (order > 0) {
    entry.event_us = entrant.event_us;
    if (form_.fine_times) fine_[index] = entrant.fine;
  }
  SetPlace(&entry, wins ? entrant.position : entry.position(), ties);
}

void ContestTable::SetPlace(Entry* entry, int64_t position, uint64_t ties) {
  if (entry->place >> kPositionBits == kTiesMax) {
    many_ties_.erase(static_cast<uint64_t>(entry->position()));
  }
  if (ties >= kTiesMax) many_ties_[static_cast<uint64_t>(position)] = ties;
  entry->place = static_cast<uint64_t>(position) | std::min(ties, kTiesMax) << kPositionBits;
}

uint64_t ContestTable::TiesOf(const Entry& entry) const {
  const uint64_t ties = entry.place >> kPositionBits;
  return ties < kTiesMax ? ties : many_ties_.at(static_cast<uint64_t>(entry.position()));
}

ContestTable::Outcome ContestTable::Insert(const Entrant& entrant) {
  full_ = full_ || !MakeRoom(entrant);
  if (full_) return Outcome::kNoRoom;
  const size_t index = size_++;
  Entry& entry = entries_[index];
  entry.event_us = entrant.event_us;
  entry.place = static_cast<uint64_t>(entrant.position);
  if (form_.fine_times) fine_[index] = entrant.fine;
  if (form_.number_keys) {
    entry.key = entrant.number;
  } else {
    entry.key = keys_used_;
    const auto size = static_cast<uint32_t>(entrant.bytes.size());
    std::memcpy(keys_.data() + keys_used_, &size, sizeof(size));
    std::memcpy(keys_.data() + keys_used_ + sizeof(size), entrant.bytes.data(), size);
    keys_used_ += sizeof(size) + size;
  }
  uint64_t at = entrant.hash & mask_;
  while (slots_[at].entry != 0) at = (at + 1) & mask_;
  slots_[at] = {.tag = TagOf(entrant.hash), .entry = static_cast<uint32_t>(index + 1)};
  return Outcome::kTaken;
}

bool ContestTable::MakeRoom(const Entrant& entrant) {
  if ((size_ + 1) * 10 > slots_.size() * kLoadMax_tenths && !GrowSlots()) return false;
  if (size_ == room_ && !GrowEntries()) return false;
  if (form_.number_keys) return true;
  const size_t bytes = sizeof(uint32_t) + entrant.bytes.size();
  return keys_used_ + bytes <= keys_room_ || GrowKeys(bytes);
}

bool ContestTable::TakeStep(bool first, size_t bytes) {
  if (!first) return lease_.TryGrow(static_cast<int64_t>(bytes));
  lease_.Grow(static_cast<int64_t>(bytes));
  return true;
}

bool ContestTable::GrowSlots() {
  const size_t size = slots_.size() * 2;
  if (size > (size_t{1} << 32)) return false;
  const auto bytes = static_cast<int64_t>(size * sizeof(Slot));
  if (!TakeStep(size_ < kEntryStep, size * sizeof(Slot))) return false;
  HugeArray<Slot> grown;
  if (!grown.Grow(size)) {
    lease_.Shrink(bytes);
    return false;
  }
  const uint64_t mask = size - 1;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].entry == 0) continue;
    uint64_t at = slots_[i].tag & mask;
    while (grown[at].entry != 0) at = (at + 1) & mask;
    grown[at] = slots_[i];
  }
  lease_.Shrink(bytes / 2);
  slots_ = std::move(grown);
  mask_ = mask;
  return true;
}

bool ContestTable::GrowEntries() {
  const size_t step = StepOf(room_, kEntryStep, sizeof(Entry));
  const size_t room = room_ + step;
  const size_t entry_bytes = sizeof(Entry) + (form_.fine_times ? sizeof(FineTimes) : 0);
  const auto bytes = static_cast<int64_t>(step * entry_bytes);
  if (!TakeStep(room_ == 0, step * entry_bytes)) return false;
  if (!GrowArray(&entries_, room, kEntryStep) ||
      (form_.fine_times && !GrowArray(&fine_, room, kEntryStep))) {
    lease_.Shrink(bytes);
    return false;
  }
  room_ = room;
  return true;
}

bool ContestTable::GrowKeys(size_t bytes) {
  const size_t step = std::max(bytes, StepOf(keys_room_, kKeyStepBytes, 1));
  if (!TakeStep(keys_room_ == 0, step)) return false;
  if (!GrowArray(&keys_, keys_room_ + step, kKeyStepBytes)) {
    lease_.Shrink(static_cast<int64_t>(step));
    return false;
  }
  keys_room_ += step;
  return true;
}

int64_t ContestTable::full_ties() const {
  uint64_t ties = 0;
  for (size_t i = 0; i < size_; ++i) ties += TiesOf(entries_[i]);
  return static_cast<int64_t>(ties);
}

bool ContestTable::HoldsNewer(uint64_t hash, uint64_t number, int64_t event_us) const {
  const uint32_t tag = TagOf(hash);
  for (uint64_t at = hash & mask_; slots_[at].entry != 0; at = (at + 1) & mask_) {
    const Slot& slot = slots_[at];
    if (slot.tag == tag && entries_[slot.entry - 1].key == number) {
      return entries_[slot.entry - 1].event_us > event_us;
    }
  }
  return false;
}

}  // namespace banquet
