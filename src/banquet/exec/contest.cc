#include "banquet/exec/contest.h"

#include <algorithm>
#include <utility>

#include "banquet/exec/key_hash.h"

namespace banquet {
namespace {

// Rows ahead of the one being contested whose slot, and whose entry, are fetched from memory: a
// miss costs some ten rows' work.
constexpr size_t kSlotAhead = 24;
constexpr size_t kEntryAhead = 12;

}  // namespace

Contest::Contest(ContestSettings settings) : Contest(settings, nullptr, 0) {}

Contest::Contest(const ContestSettings& settings, SpillFile* file, int level)
    : settings_(settings), level_(level), file_(file) {
  for (Partition& partition : partitions_) {
    partition.table = std::make_unique<ContestTable>(settings_.form, settings_.budget);
  }
}

Contest::~Contest() = default;

// The lower half of a hash belongs to the tables.
size_t Contest::PartitionOf(uint64_t hash) const {
  return (hash >> (64 - kPartitionBits * (level_ + 1))) & (kPartitions - 1);
}

void Contest::Divide(const Entrants& entrants, ContestScratch* scratch,
                     std::array<uint32_t, kPartitions + 1>* begins) const {
  const size_t count = entrants.size();
  scratch->hashes.resize(count);
  scratch->order.resize(count);
  if (settings_.form.number_keys) {
    for (size_t i = 0; i < count; ++i) scratch->hashes[i] = HashNumber(entrants.numbers[i]);
  } else {
    for (size_t i = 0; i < count; ++i) {
      scratch->hashes[i] = HashBytes(entrants.bytes[i].substr(entrants.bytes_skipped));
    }
  }
  begins->fill(0);
  for (const uint64_t hash : scratch->hashes) ++(*begins)[PartitionOf(hash) + 1];
  for (size_t i = 0; i < kPartitions; ++i) (*begins)[i + 1] += (*begins)[i];
  std::array<uint32_t, kPartitions + 1> next = *begins;
  for (uint32_t i = 0; i < count; ++i) {
    scratch->order[next[PartitionOf(scratch->hashes[i])]++] = i;
  }
}

Status Contest::Offer(const Entrants& entrants, ContestScratch* scratch) {
  std::array<uint32_t, kPartitions + 1> begins;
  Divide(entrants, scratch, &begins);
  const size_t start = turn_.fetch_add(1, std::memory_order_relaxed) * (kPartitions / 2 + 1);
  for (size_t i = 0; i < kPartitions; ++i) {
    const size_t at = (start + i) % kPartitions;
    const std::span<const uint32_t> rows =
        std::span(scratch->order).subspan(begins[at], begins[at + 1] - begins[at]);
    if (rows.empty()) continue;
    std::lock_guard lock(partitions_[at].mutex);
    BANQUET_RETURN_NOT_OK(OfferTo(&partitions_[at], entrants, *scratch, rows));
  }
  return Status::OK();
}

Status Contest::OfferTo(Partition* partition, const Entrants& entrants,
                        const ContestScratch& scratch, std::span<const uint32_t> rows) {
  ContestTable& table = *partition->table;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kSlotAhead < rows.size()) table.PrefetchSlot(scratch.hashes[rows[i + kSlotAhead]]);
    if (i + kEntryAhead < rows.size()) table.PrefetchEntry(scratch.hashes[rows[i + kEntryAhead]]);
    const uint32_t row = rows[i];
    Entrant entrant{.hash = scratch.hashes[row],
                    .event_us = entrants.event_us[row],
                    .position = entrants.positions[row]};
    if (settings_.form.fine_times) entrant.fine = entrants.fine[row];
    if (settings_.form.number_keys) {
      entrant.number = entrants.numbers[row];
    } else {
      entrant.bytes = entrants.bytes[row].substr(entrants.bytes_skipped);
    }
    if (table.Offer(entrant) == ContestTable::Outcome::kTaken) continue;
    BANQUET_RETURN_NOT_OK(Spill(partition, entrant));
  }
  return Status::OK();
}

Status Contest::Spill(Partition* partition, const Entrant& entrant) {
  if (level_ == kLevelMax) {
    return RemoteError({}, "banquet.memory_limit is too small for this many keys; raise it");
  }
  {
    std::lock_guard lock(file_mutex_);
    if (file_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(own_file_, SpillFile::Create(settings_.spill_directory));
      file_ = own_file_.get();
    }
  }
  spilled_rows_.fetch_add(1, std::memory_order_relaxed);
  if (!partition->spilled.has_value()) partition->spilled.emplace(settings_.budget);
  return partition->spilled->Append(settings_.form, entrant, file_);
}

Status Contest::Finish(WinnerMap* winners) {
  for (Partition& partition : partitions_) {
    const ContestTable& table = *partition.table;
    for (size_t i = 0; i < table.size(); ++i) winners->Set(table.position(i));
    winners_ += static_cast<int64_t>(table.size());
    full_ties_ += table.full_ties();
    partition.table = nullptr;
  }
  for (Partition& partition : partitions_) {
    if (!partition.spilled.has_value()) continue;
    BANQUET_RETURN_NOT_OK(partition.spilled->Finish(file_));
    BANQUET_RETURN_NOT_OK(FinishSpilled(*partition.spilled, winners));
    partition.spilled.reset();
  }
  return Status::OK();
}

Status Contest::FinishSpilled(const SpillPages& pages, WinnerMap* winners) {
  Contest again(settings_, file_, level_ + 1);
  Entrants entrants;
  ContestScratch scratch;
  for (size_t page = 0; page < pages.pages(); ++page) {
    if (settings_.stop.stop_requested()) return CancelledError();
    entrants.Clear();
    BANQUET_RETURN_NOT_OK(pages.Read(page, settings_.form, *file_, &entrants));
    BANQUET_RETURN_NOT_OK(again.Offer(entrants, &scratch));
  }
  BANQUET_RETURN_NOT_OK(again.Finish(winners));
  winners_ += again.winners_;
  full_ties_ += again.full_ties_;
  return Status::OK();
}

bool Contest::AllHoldNewer(int64_t least, int64_t greatest, int64_t event_us) {
  if (!settings_.form.number_keys || least > greatest) return false;
  for (int64_t key = least;; ++key) {
    const auto number = static_cast<uint64_t>(key);
    const uint64_t hash = HashNumber(number);
    Partition& partition = partitions_[PartitionOf(hash)];
    std::lock_guard lock(partition.mutex);
    if (!partition.table->HoldsNewer(hash, number, event_us)) return false;
    if (key == greatest) return true;
  }
}

}  // namespace banquet
