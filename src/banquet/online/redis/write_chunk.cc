#include "banquet/online/redis/write_chunk.h"

#include <algorithm>
#include <utility>

namespace banquet::redis {
namespace {

// Feast counts from a time of zero, so that nothing at or before 1970 guards.
Verdict JudgeAsFeast(StoredTime stored, int64_t new_us) {
  if (stored.us < 0 || stored == StoredTime{} || new_us > stored.us) return Verdict::kWrite;
  return new_us == stored.us && !stored.beyond ? Verdict::kUnchanged : Verdict::kStale;
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

Verdict Judge(Overwrite overwrite, std::optional<StoredTime> stored, int64_t new_us) {
  if (!stored.has_value()) return Verdict::kWrite;
  switch (overwrite) {
    case Overwrite::kAlways:
      return Verdict::kWrite;
    case Overwrite::kFeast:
      return JudgeAsFeast(*stored, new_us);
    case Overwrite::kNewest:
      break;
  }
  if (stored->us < new_us) return Verdict::kWrite;
  return stored->us == new_us && !stored->beyond ? Verdict::kWrite : Verdict::kStale;
}

const char* NameOf(CommandKind kind) {
  constexpr const char* kNames[] = {"HMGET", "RESTORE", "HSET", "EXPIRE", "TTL"};
  return kNames[static_cast<size_t>(kind)];
}

void WriteChunk::Begin(std::shared_ptr<const EncodedBatch> of) {
  batch = std::move(of);
  rows.clear();
  refused.clear();
  exists.clear();
  verdicts.clear();
  sent.clear();
  for_groups.clear();
  plan = {};
  counts = {};
}

void WriteChunk::AddRow(uint32_t row, size_t views) {
  rows.push_back(row);
  refused.push_back(0);
  exists.push_back(0);
  verdicts.insert(verdicts.end(), views, Verdict::kWrite);
}

bool WriteChunk::HasVerdict(uint32_t place, size_t views, Verdict verdict) const {
  const Verdict* begin = verdicts.data() + place * views;
  return std::find(begin, begin + views, verdict) != begin + views;
}

bool WriteChunk::Wants(uint32_t place, size_t views) const {
  return refused[place] == 0 && HasVerdict(place, views, Verdict::kWrite);
}

bool WriteChunk::IsUnchanged(uint32_t place, size_t views) const {
  return refused[place] == 0 && !HasVerdict(place, views, Verdict::kWrite) &&
         HasVerdict(place, views, Verdict::kUnchanged);
}

void WriteChunk::PutCheck(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                          std::vector<SentCommand>* noted) const {
  frames.PutCheck(KeyOf(place), out);
  noted->push_back({.place = place, .kind = CommandKind::kCheck});
}

void WriteChunk::PutTtl(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                        std::vector<SentCommand>* noted) const {
  frames.PutTtl(KeyOf(place), out);
  noted->push_back({.place = place, .kind = CommandKind::kTtl});
}

void WriteChunk::PutExpire(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                           std::vector<SentCommand>* noted) const {
  frames.PutExpire(KeyOf(place), out);
  noted->push_back({.place = place, .kind = CommandKind::kExpire});
}

size_t WriteChunk::PutHset(uint32_t place, const RowFrames& frames, CommandBuffer* out,
                           std::vector<SentCommand>* noted) const {
  const size_t noted_before = noted->size();
  const size_t views = frames.views();
  const Verdict* verdict = verdicts.data() + place * views;
  const size_t wanted = static_cast<size_t>(std::count(verdict, verdict + views, Verdict::kWrite));
  if (wanted == views) {
    frames.PutWriteOfAll(*batch, rows[place], out);
    noted->push_back({.place = place, .kind = CommandKind::kHset});
  } else {
    for (size_t view = 0; view < views; ++view) {
      if (verdict[view] != Verdict::kWrite) continue;
      frames.PutWrite(*batch, rows[place], view, out);
      noted->push_back({.place = place, .kind = CommandKind::kHset});
    }
  }
  if (frames.has_ttl()) PutExpire(place, frames, out, noted);
  return noted->size() - noted_before;
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
