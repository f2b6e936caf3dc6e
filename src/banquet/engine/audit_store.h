#pragma once
// Compares what an online store holds with what would be written to it, and writes nothing.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/exec/rate_limit.h"
#include "banquet/online/online_store.h"

namespace banquet {

// How what is stored of an entity stands to its newest row in the source: the same; not there; of
// an older row; of a newer one; of the same time with other values, or without a time.
enum class Standing { kEqual, kMissing, kStale, kAhead, kDiffering };
inline constexpr size_t kStandings = 5;
std::string_view NameOf(Standing standing);  // "equal", …

// The newest row of an entity in the source, as it is written.
struct SourceRow {
  std::string_view entity_key;
  int64_t event_us = 0;
  std::vector<std::string_view> values;  // In the order of the view's features.
};

struct RowAudit {
  Standing standing = Standing::kEqual;
  std::vector<std::string> features;  // That differ.
};

// `time_unit_us` is the store's precision (WriteNeeds); values are compared by IsSameValue.
RowAudit CompareRow(const ViewColumns& view, const SourceRow& row,
                    const std::optional<StoredRow>& stored, int64_t time_unit_us);

struct AuditExample {
  Standing standing = Standing::kEqual;
  std::string entity_key;
  int64_t source_us = 0;
  std::optional<int64_t> stored_us;
  std::vector<std::string> features;  // That differ.
};

struct ViewAudit {
  static constexpr size_t kExamplesMax = 3;  // Of each standing.
  std::array<int64_t, kStandings> counts{};
  std::vector<AuditExample> examples;  // The first found of each standing but equal.

  int64_t Of(Standing standing) const { return counts[static_cast<size_t>(standing)]; }
  int64_t checked() const;
  // Whether every row that was looked at is in the store, or a newer one.
  bool IsWhole() const { return Of(Standing::kEqual) + Of(Standing::kAhead) == checked(); }
  void Add(AuditExample example);
  void Merge(const ViewAudit& other);

 private:
  void Keep(AuditExample example);
};

// Stands where a run has its store: rows that would be written are read back and compared, and
// counted as unchanged. Safe to share between threads. Borrows the store.
class AuditStore final : public OnlineStore {
 public:
  // `sample`: of each view only so many rows, chosen by a hash of their keys, are compared, by
  // CompareSample after the run.
  AuditStore(OnlineStore* store, std::optional<size_t> sample) : store_(store), sample_(sample) {}

  WriteNeeds needs() const override;
  // Reads from the store, so that one that is not there fails at once; forgets what was found of
  // these views.
  Status Prepare(std::span<const ViewColumns> views) override;
  Status Check(std::span<const ViewColumns> views) override { return store_->Check(views); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int lane) override;
  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    return store_->Read(view, keys);
  }
  Status Remove(const ViewColumns& view) override;
  std::string_view type() const override { return store_->type(); }
  std::string Describe() const override { return store_->Describe(); }

  // Once, after the run: compares the sample, no more rows a second than `rate` says.
  Status CompareSample(RateLimit* rate, Clock* clock, const std::stop_token& stop);

  // By the view's name in online storage.
  std::map<std::string, ViewAudit> audits() const;

 private:
  friend class AuditWriter;
  struct SampledRow {
    std::string entity_key;
    int64_t event_us = 0;
    std::vector<std::string> values;
  };
  struct ViewState {
    ViewColumns columns;
    ViewAudit audit;
    std::map<uint64_t, SampledRow> sample;  // By hash; those of the least.
  };

  // Reads the rows back and counts how they stand.
  Status Compare(const ViewColumns& view, std::span<const SourceRow> rows, ViewAudit* audit);
  void Sample(const ViewColumns& view, std::span<const SourceRow> rows);
  void Commit(const ViewColumns& view, const ViewAudit& audit);

  OnlineStore* const store_;
  const std::optional<size_t> sample_;
  mutable std::mutex mutex_;
  std::map<std::string, ViewState> views_;
};

}  // namespace banquet
