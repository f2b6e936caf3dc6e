#include "banquet/exec/latest_table.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/util/byte_size.h"
#include "banquet/exec/take_rows.h"

namespace banquet {
namespace {

constexpr size_t kInitialSlots = 1024;
// Slack before a compaction pays: retained rows may be twice the winners plus this many.
constexpr int64_t kSlackRows = 256 * 1024;
// Size of a gathered batch; bytes bound it too, since a utf8 column holds at most 2 GiB.
constexpr int64_t kGatheredRowsMax = 1024 * 1024;
constexpr int64_t kGatheredBytesMax = int64_t{512} << 20;

uint64_t HashOf(std::string_view key) { return std::hash<std::string_view>{}(key); }

}  // namespace

int Contender::CompareTimes(const Contender& other) const {
  const auto mine = std::tie(event_us, event_nanos, has_created, created_us, created_nanos);
  const auto theirs = std::tie(other.event_us, other.event_nanos, other.has_created,
                               other.created_us, other.created_nanos);
  if (mine == theirs) return 0;
  return mine < theirs ? -1 : 1;
}

LatestTable::LatestTable() : slots_(kInitialSlots, 0) {}

uint32_t LatestTable::BeginBatch(std::shared_ptr<arrow::RecordBatch> rows) {
  retained_rows_ += rows->num_rows();
  batches_.push_back({std::move(rows), 0});
  return static_cast<uint32_t>(batches_.size() - 1);
}

bool LatestTable::Offer(std::string_view key, const Contender& contender, uint32_t batch,
                        uint32_t row) {
  return Place(HashOf(key), key, contender, batch, row, 0);
}

bool LatestTable::Place(uint64_t hash, std::string_view key, const Contender& contender,
                        uint32_t batch, uint32_t row, int64_t ties) {
  const size_t slot = FindSlot(hash, key);
  if (slots_[slot] == 0) {
    entries_.push_back(
        {hash, keys_.size(), static_cast<uint32_t>(key.size()), batch, row, ties, contender});
    keys_.append(key);
    ++batches_[batch].live;
    slots_[slot] = static_cast<uint32_t>(entries_.size());
    if (entries_.size() * 10 > slots_.size() * 6) Grow();
    return true;
  }
  Entry& entry = entries_[slots_[slot] - 1];
  const bool full_tie = contender.CompareTimes(entry.contender) == 0;
  const int64_t tied = full_tie ? entry.ties + ties + 1 : 0;
  if (contender.Beats(entry.contender)) {
    --batches_[entry.batch].live;
    ++batches_[batch].live;
    entry.batch = batch;
    entry.row = row;
    entry.contender = contender;
    entry.ties = full_tie ? tied : ties;
  } else if (full_tie) {
    entry.ties = tied;
  }
  return false;
}

size_t LatestTable::FindSlot(uint64_t hash, std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && KeyOf(entry) == key) return slot;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void LatestTable::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

Status LatestTable::EndBatch(uint32_t batch) {
  Retained& retained = batches_[batch];
  if (retained.live == 0) {
    retained_rows_ -= retained.rows->num_rows();
    retained.rows = nullptr;
  }
  if (retained_rows_ > 2 * static_cast<int64_t>(entries_.size()) + kSlackRows)
    return Compact(/*all=*/false);
  return Status::OK();
}

Status LatestTable::Absorb(LatestTable&& other) {
  const auto shift = static_cast<uint32_t>(batches_.size());
  for (Retained& retained : other.batches_) batches_.push_back({std::move(retained.rows), 0});
  retained_rows_ += other.retained_rows_;
  for (const Entry& entry : other.entries_) {
    Place(entry.hash, other.KeyOf(entry), entry.contender, entry.batch + shift, entry.row,
          entry.ties);
  }
  for (size_t i = shift; i < batches_.size(); ++i) {
    if (batches_[i].rows == nullptr || batches_[i].live > 0) continue;
    retained_rows_ -= batches_[i].rows->num_rows();
    batches_[i].rows = nullptr;
  }
  other = LatestTable();
  if (retained_rows_ > 2 * static_cast<int64_t>(entries_.size()) + kSlackRows)
    return Compact(/*all=*/false);
  return Status::OK();
}

Status LatestTable::Seal() { return Compact(/*all=*/true); }

Status LatestTable::Compact(bool all) {
  std::vector<uint32_t> sparse;
  std::vector<std::vector<uint32_t>> entries_of(batches_.size());
  for (uint32_t id = 0; id < batches_.size(); ++id) {
    const Retained& retained = batches_[id];
    if (retained.rows == nullptr) continue;
    if (all || retained.live * 2 < retained.rows->num_rows()) {
      sparse.push_back(id);
      entries_of[id].reserve(retained.live);
    }
  }
  std::vector<bool> chosen(batches_.size(), false);
  for (uint32_t id : sparse) chosen[id] = true;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (chosen[entries_[i].batch]) entries_of[entries_[i].batch].push_back(i);
  }
  return Gather(sparse, &entries_of);
}

Status LatestTable::Gather(std::span<const uint32_t> sparse,
                           std::vector<std::vector<uint32_t>>* entries_of) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> pieces;
  std::vector<uint32_t> gathered;
  int64_t bytes = 0;
  const auto flush = [&]() -> Status {
    if (pieces.empty()) return Status::OK();
    BANQUET_RETURN_NOT_OK(MergeBatches(std::move(pieces), gathered));
    pieces.clear();
    gathered.clear();
    bytes = 0;
    return Status::OK();
  };
  for (uint32_t id : sparse) {
    const std::vector<uint32_t>& entries = (*entries_of)[id];
    const std::shared_ptr<arrow::RecordBatch> rows = std::exchange(batches_[id].rows, nullptr);
    retained_rows_ -= rows->num_rows();
    batches_[id].live = 0;
    if (entries.empty()) continue;
    std::vector<uint32_t> indices;
    indices.reserve(entries.size());
    for (uint32_t entry : entries) indices.push_back(entries_[entry].row);
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> piece, TakeRows(rows, indices));
    bytes += arrow::util::TotalBufferSize(*piece);
    if (!pieces.empty() &&
        (bytes > kGatheredBytesMax ||
         static_cast<int64_t>(gathered.size() + entries.size()) > kGatheredRowsMax)) {
      BANQUET_RETURN_NOT_OK(flush());
      bytes = arrow::util::TotalBufferSize(*piece);
    }
    pieces.push_back(std::move(piece));
    gathered.insert(gathered.end(), entries.begin(), entries.end());
  }
  return flush();
}

Status LatestTable::MergeBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> pieces,
                                 std::span<const uint32_t> entries) {
  std::shared_ptr<arrow::RecordBatch> merged = pieces.front();
  if (pieces.size() > 1) {
    BANQUET_ASSIGN_OR_RETURN(merged, arrow::ConcatenateRecordBatches(pieces));
  }
  const uint32_t id = BeginBatch(std::move(merged));
  batches_[id].live = static_cast<int64_t>(entries.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    entries_[entries[i]].batch = id;
    entries_[entries[i]].row = i;
  }
  return Status::OK();
}

int64_t LatestTable::ties() const {
  int64_t ties = 0;
  for (const Entry& entry : entries_) ties += entry.ties;
  return ties;
}

}  // namespace banquet
