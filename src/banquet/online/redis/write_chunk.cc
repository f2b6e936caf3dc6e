#include "banquet/online/redis/write_chunk.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace banquet::redis {
namespace {

// Feast counts from a time of zero, so that nothing at or before 1970 guards.
Verdict JudgeAsFeast(std::optional<StoredTime> stored, std::optional<int64_t> earlier_us,
                     int64_t new_us) {
  const StoredTime held = stored.value_or(StoredTime{});
  StoredTime latest = held.us < 0 ? StoredTime{} : held;
  if (earlier_us.value_or(0) > latest.us) latest = {.us = *earlier_us, .beyond = false};
  if (latest == StoredTime{} || new_us > latest.us) return Verdict::kWrite;
  return new_us == latest.us && !latest.beyond ? Verdict::kUnchanged : Verdict::kStale;
}

void CountVerdict(Verdict verdict, ViewOutcomes* outcomes) {
  switch (verdict) {
    case Verdict::kWrite:
      ++outcomes->written;
      return;
    case Verdict::kStale:
      ++outcomes->stale;
      return;
    case Verdict::kUnchanged:
      ++outcomes->unchanged;
      return;
  }
}

}  // namespace

Verdict Judge(Overwrite overwrite, std::optional<StoredTime> stored,
              std::optional<int64_t> earlier_us, int64_t new_us) {
  switch (overwrite) {
    case Overwrite::kAlways:
      return Verdict::kWrite;
    case Overwrite::kFeast:
      return JudgeAsFeast(stored, earlier_us, new_us);
    case Overwrite::kNewest:
      break;
  }
  if (earlier_us.has_value() && *earlier_us > new_us) return Verdict::kStale;
  if (!stored.has_value() || stored->us < new_us) return Verdict::kWrite;
  return stored->us == new_us && !stored->beyond ? Verdict::kWrite : Verdict::kStale;
}

void RecentKeys::Reset(size_t keys_max) { slots_.assign(std::bit_ceil(keys_max * 2 + 1), Slot{}); }

size_t RecentKeys::PlaceOf(std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t place = std::hash<std::string_view>()(key) & mask;
  while (slots_[place].used && slots_[place].key != key) place = (place + 1) & mask;
  return place;
}

std::optional<int64_t> RecentKeys::NewestOf(std::string_view key) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[PlaceOf(key)];
  return slot.used ? std::optional(slot.newest_us) : std::nullopt;
}

void RecentKeys::Add(std::string_view key, int64_t event_us) {
  Slot& slot = slots_[PlaceOf(key)];
  slot.newest_us = slot.used ? std::max(slot.newest_us, event_us) : event_us;
  slot.key = key;
  slot.used = true;
}

void WriteChunk::Begin(std::shared_ptr<const EncodedBatch> of, const RowSelection& selection,
                       size_t first, size_t count, const RowFrames& frames,
                       const WriteChunk* before) {
  batch = std::move(of);
  rows.clear();
  earlier_us.clear();
  sent.clear();
  refused.assign(count, 0);
  verdicts.assign(count * frames.views(), Verdict::kWrite);
  for (size_t i = 0; i < count; ++i) rows.push_back(selection.At(first + i));
  if (frames.guarded().empty()) return;
  keys.Reset(count);
  for (const uint32_t row : rows) {
    const std::string_view key = batch->keys[row];
    std::optional<int64_t> earlier = keys.NewestOf(key);
    if (before != nullptr) earlier = std::max(earlier, before->keys.NewestOf(key));
    earlier_us.push_back(earlier);
    keys.Add(key, batch->event_us[row]);
  }
}

bool WriteChunk::Wants(size_t place, size_t views) const {
  if (refused[place] != 0) return false;
  const auto begin = verdicts.begin() + static_cast<std::ptrdiff_t>(place * views);
  return std::find(begin, begin + static_cast<std::ptrdiff_t>(views), Verdict::kWrite) !=
         begin + static_cast<std::ptrdiff_t>(views);
}

void WriteChunk::PutRow(size_t place, const RowFrames& frames, CommandBuffer* out) {
  const size_t views = frames.views();
  const Verdict* verdict = verdicts.data() + place * views;
  const size_t wanted = static_cast<size_t>(std::count(verdict, verdict + views, Verdict::kWrite));
  const auto number = static_cast<uint32_t>(place);
  if (wanted == views) {
    frames.PutWriteOfAll(*batch, rows[place], out);
    sent.push_back({.place = number});
  } else {
    for (size_t view = 0; view < views; ++view) {
      if (verdict[view] != Verdict::kWrite) continue;
      frames.PutWrite(*batch, rows[place], view, out);
      sent.push_back({.place = number});
    }
  }
  if (frames.has_ttl()) {
    frames.PutExpire(batch->keys[rows[place]], out);
    sent.push_back({.place = number, .is_expire = true});
  }
}

void WriteChunk::Count(size_t views, RowOutcomes* outcomes) const {
  outcomes->views.resize(views);
  for (size_t place = 0; place < rows.size(); ++place) {
    if (refused[place] != 0) {
      outcomes->undecided.push_back(rows[place]);
      continue;
    }
    const Verdict* verdict = verdicts.data() + place * views;
    for (size_t view = 0; view < views; ++view) {
      CountVerdict(verdict[view], &outcomes->views[view]);
    }
    if (std::find(verdict, verdict + views, Verdict::kWrite) != verdict + views) {
      ++outcomes->written;
    } else if (std::find(verdict, verdict + views, Verdict::kStale) != verdict + views) {
      ++outcomes->stale;
    } else {
      ++outcomes->unchanged;
    }
  }
}

}  // namespace banquet::redis
