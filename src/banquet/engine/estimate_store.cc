#include "banquet/engine/estimate_store.h"

#include <utility>
#include <vector>

namespace banquet {

// What it counted is told at the flush, so that a batch that is tried again counts once.
class EstimateWriter final : public OnlineWriter {
 public:
  EstimateWriter(EstimateStore* store, std::span<const ViewColumns> views,
                 std::vector<std::optional<WritePrice>> prices)
      : store_(store),
        views_(views.begin(), views.end()),
        prices_(std::move(prices)),
        counted_(views_.size()) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    const size_t count = rows.Count(batch->rows);
    for (size_t view = 0; view < views_.size(); ++view) {
      WriteEstimate& counted = counted_[view];
      const std::optional<WritePrice>& price = prices_[view];
      if (price.has_value() && !counted.units.has_value()) counted.units = 0;
      for (size_t i = 0; i < count; ++i) {
        const uint32_t row = rows.At(i);
        counted.bytes += static_cast<int64_t>(batch->keys[row].size());
        for (const EncodedFeature& feature : batch->views[view])
          counted.bytes += static_cast<int64_t>(feature.values[row].size());
        if (price.has_value()) *counted.units += price->units_of(*batch, view, row);
      }
      counted.rows += static_cast<int64_t>(count);
    }
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    for (size_t view = 0; view < views_.size(); ++view) {
      const WriteEstimate counted = std::exchange(counted_[view], {});
      outcomes.unchanged = counted.rows;
      outcomes.views.push_back({.unchanged = counted.rows});
      store_->Add(views_[view].view, counted);
    }
    return outcomes;
  }

 private:
  EstimateStore* const store_;
  const std::vector<ViewColumns> views_;
  const std::vector<std::optional<WritePrice>> prices_;
  std::vector<WriteEstimate> counted_;
};

Status EstimateStore::Prepare(std::span<const ViewColumns> views) {
  for (const ViewColumns& view : views) {
    BANQUET_ASSIGN_OR_RETURN(std::optional<WritePrice> price, store_->PriceOf(view));
    const std::lock_guard lock(mutex_);
    WriteEstimate& estimate = estimates_[view.view];
    estimate = {};
    if (price.has_value()) {
      estimate.units = 0;
      estimate.units_per_second = price->units_per_second;
    }
    prices_[view.view] = std::move(price);
  }
  return Status::OK();
}

Result<std::unique_ptr<OnlineWriter>> EstimateStore::OpenWriter(std::span<const ViewColumns> views,
                                                                int /*lane*/) {
  std::vector<std::optional<WritePrice>> prices;
  const std::lock_guard lock(mutex_);
  for (const ViewColumns& view : views) prices.push_back(prices_[view.view]);
  return std::make_unique<EstimateWriter>(this, views, std::move(prices));
}

Result<StoredRows> EstimateStore::Read(const ViewColumns& /*view*/,
                                       std::span<const std::string> /*keys*/) {
  return Bug("A store that is estimated was asked to read rows");
}

Status EstimateStore::Remove(const ViewColumns& /*view*/) {
  return Bug("A store that is estimated was asked to remove rows");
}

std::map<std::string, WriteEstimate> EstimateStore::estimates() const {
  const std::lock_guard lock(mutex_);
  return estimates_;
}

void EstimateStore::Add(const std::string& view, const WriteEstimate& more) {
  const std::lock_guard lock(mutex_);
  WriteEstimate& estimate = estimates_[view];
  estimate.rows += more.rows;
  estimate.bytes += more.bytes;
  if (more.units.has_value()) estimate.units = estimate.units.value_or(0) + *more.units;
}

}  // namespace banquet
