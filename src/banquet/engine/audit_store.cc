#include "banquet/engine/audit_store.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "banquet/encode/value_equality.h"

namespace banquet {
namespace {

constexpr size_t kSampleReadRows = 1000;

}  // namespace

std::string_view NameOf(Standing standing) {
  constexpr std::string_view kNames[kStandings] = {"equal", "missing", "stale", "ahead",
                                                   "differing"};
  return kNames[static_cast<size_t>(standing)];
}

RowAudit CompareRow(const ViewColumns& view, const SourceRow& row,
                    const std::optional<StoredRow>& stored, int64_t time_unit_us) {
  if (!stored.has_value()) return {.standing = Standing::kMissing, .features = {}};
  if (!stored->event_us.has_value()) return {.standing = Standing::kDiffering, .features = {}};
  const int64_t source_us = row.event_us / time_unit_us * time_unit_us;
  if (*stored->event_us != source_us) {
    return {.standing = *stored->event_us < source_us ? Standing::kStale : Standing::kAhead,
            .features = {}};
  }
  RowAudit audit;
  for (size_t i = 0; i < view.features.size(); ++i) {
    const std::optional<std::string>& value = stored->values[i];
    const Field& feature = view.features[i];
    if (value.has_value() && IsSameValue(feature.type, row.values[i], *value)) continue;
    audit.standing = Standing::kDiffering;
    audit.features.push_back(feature.name);
  }
  return audit;
}

int64_t ViewAudit::checked() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

void ViewAudit::Add(AuditExample example) {
  ++counts[static_cast<size_t>(example.standing)];
  Keep(std::move(example));
}

void ViewAudit::Merge(const ViewAudit& other) {
  for (size_t i = 0; i < kStandings; ++i) counts[i] += other.counts[i];
  for (const AuditExample& example : other.examples) Keep(example);
}

void ViewAudit::Keep(AuditExample example) {
  if (example.standing == Standing::kEqual) return;
  const auto kept =
      static_cast<size_t>(std::ranges::count(examples, example.standing, &AuditExample::standing));
  if (kept < kExamplesMax) examples.push_back(std::move(example));
}

// Compares batches; what it found counts once the batch is flushed, so that one that is tried again
// counts once.
class AuditWriter final : public OnlineWriter {
 public:
  AuditWriter(AuditStore* store, std::span<const ViewColumns> views)
      : store_(store), views_(views.begin(), views.end()), found_(views.size()) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    const size_t count = rows.Count(batch->rows);
    for (size_t view = 0; view < views_.size(); ++view) {
      std::vector<SourceRow> sources;
      sources.reserve(count);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t row = rows.At(i);
        SourceRow& source = sources.emplace_back();
        source.entity_key = batch->keys[row];
        source.event_us = batch->event_us[row];
        for (const EncodedFeature& feature : batch->views[view]) {
          source.values.push_back(feature.values[row]);
        }
      }
      if (store_->sample_.has_value()) {
        store_->Sample(views_[view], sources);
      } else {
        BANQUET_RETURN_NOT_OK(store_->Compare(views_[view], sources, &found_[view]));
      }
    }
    rows_ += static_cast<int64_t>(count);
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    outcomes.unchanged = std::exchange(rows_, 0);
    for (size_t view = 0; view < views_.size(); ++view) {
      outcomes.views.push_back({.unchanged = outcomes.unchanged});
      store_->Commit(views_[view], std::exchange(found_[view], {}));
    }
    return outcomes;
  }

 private:
  AuditStore* const store_;
  const std::vector<ViewColumns> views_;
  std::vector<ViewAudit> found_;
  int64_t rows_ = 0;
};

WriteNeeds AuditStore::needs() const {
  const WriteNeeds needs = store_->needs();
  return {.lanes = needs.lanes, .time_unit_us = needs.time_unit_us};
}

Status AuditStore::Prepare(std::span<const ViewColumns> views) {
  // A key that no entity has, and nobody else either.
  const std::vector<std::string> nobody = {"banquet verify: nobody"};
  for (const ViewColumns& view : views) {
    BANQUET_RETURN_NOT_OK(store_->Read(view, nobody).status());
    std::lock_guard lock(mutex_);
    views_[view.view] = {.columns = view, .audit = {}, .sample = {}};
  }
  return Status::OK();
}

Result<std::unique_ptr<OnlineWriter>> AuditStore::OpenWriter(std::span<const ViewColumns> views,
                                                             int /*lane*/) {
  return std::make_unique<AuditWriter>(this, views);
}

Status AuditStore::Remove(const ViewColumns& /*view*/) {
  return Bug("A store that is compared was asked to remove rows");
}

Status AuditStore::Compare(const ViewColumns& view, std::span<const SourceRow> rows,
                           ViewAudit* audit) {
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (const SourceRow& row : rows) keys.emplace_back(row.entity_key);
  BANQUET_ASSIGN_OR_RETURN(const StoredRows stored, store_->Read(view, keys));
  const int64_t time_unit_us = store_->needs().time_unit_us;
  for (size_t i = 0; i < rows.size(); ++i) {
    RowAudit found = CompareRow(view, rows[i], stored[i], time_unit_us);
    audit->Add({.standing = found.standing,
                .entity_key = keys[i],
                .source_us = rows[i].event_us,
                .stored_us = stored[i].has_value() ? stored[i]->event_us : std::nullopt,
                .features = std::move(found.features)});
  }
  return Status::OK();
}

void AuditStore::Sample(const ViewColumns& view, std::span<const SourceRow> rows) {
  std::lock_guard lock(mutex_);
  std::map<uint64_t, SampledRow>& sample = views_[view.view].sample;
  for (const SourceRow& row : rows) {
    const uint64_t hash = std::hash<std::string_view>()(row.entity_key);
    if (sample.size() >= *sample_ && hash >= std::prev(sample.end())->first) continue;
    sample[hash] = {.entity_key = std::string(row.entity_key),
                    .event_us = row.event_us,
                    .values = {row.values.begin(), row.values.end()}};
    if (sample.size() > *sample_) sample.erase(std::prev(sample.end()));
  }
}

void AuditStore::Commit(const ViewColumns& view, const ViewAudit& audit) {
  std::lock_guard lock(mutex_);
  views_[view.view].audit.Merge(audit);
}

Status AuditStore::CompareSample(RateLimit* rate, Clock* clock, const std::stop_token& stop) {
  for (auto& [name, state] : views_) {
    std::vector<SourceRow> rows;
    for (const auto& [hash, sampled] : state.sample) {
      rows.push_back({.entity_key = sampled.entity_key,
                      .event_us = sampled.event_us,
                      .values = {sampled.values.begin(), sampled.values.end()}});
    }
    const size_t portion = rate->PortionOf(kSampleReadRows);
    for (size_t first = 0; first < rows.size(); first += portion) {
      const auto part = std::span(rows).subspan(first, std::min(portion, rows.size() - first));
      const auto wait = rate->Book(part.size(), clock->Steady());
      if (stop.stop_requested() || (wait.count() > 0 && !clock->Wait(wait, stop)))
        return CancelledError();
      BANQUET_RETURN_NOT_OK(Compare(state.columns, part, &state.audit));
    }
  }
  return Status::OK();
}

std::map<std::string, ViewAudit> AuditStore::audits() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, ViewAudit> audits;
  for (const auto& [name, state] : views_) audits[name] = state.audit;
  return audits;
}

}  // namespace banquet
