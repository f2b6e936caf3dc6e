#pragma once
// Counts what would be written to an online store, and writes nothing.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "banquet/online/online_store.h"

namespace banquet {

// What writing one view takes. Rows that the store turns out to hold already are in it.
struct WriteEstimate {
  int64_t rows = 0;   // Entities.
  int64_t bytes = 0;  // Of their keys and values.
  // Where the store sells its writes:
  std::optional<double> units;
  double units_per_second = 0;

  double seconds() const {
    return units.has_value() && units_per_second > 0 ? *units / units_per_second : 0;
  }
};

// Stands where a run has its store; only what writing costs there is asked of the real one. Safe to
// share between threads. Borrows the store.
class EstimateStore final : public OnlineStore {
 public:
  explicit EstimateStore(OnlineStore* store) : store_(store) {}

  WriteNeeds needs() const override { return {.lanes = store_->needs().lanes}; }
  // Asks for the prices; forgets what was counted of these views.
  Status Prepare(std::span<const ViewColumns> views) override;
  Status Check(std::span<const ViewColumns> views) override { return store_->Check(views); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int lane) override;
  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override;
  Status Remove(const ViewColumns& view) override;
  std::string_view type() const override { return store_->type(); }
  std::string Describe() const override { return store_->Describe(); }

  // By the view's name in online storage.
  std::map<std::string, WriteEstimate> estimates() const;

 private:
  friend class EstimateWriter;
  void Add(const std::string& view, const WriteEstimate& more);

  OnlineStore* const store_;
  mutable std::mutex mutex_;
  std::map<std::string, WriteEstimate> estimates_;
  std::map<std::string, std::optional<WritePrice>> prices_;
};

}  // namespace banquet
