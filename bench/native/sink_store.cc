#include "bench/native/sink_store.h"

#include <utility>

#include "bench/native/meters.h"

namespace banquet::bench {
namespace {

class SinkWriter final : public OnlineWriter {
 public:
  SinkWriter(SinkStore* store, size_t views) : store_(store), views_(views) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    const auto count = static_cast<int64_t>(rows.Count(batch->rows));
    outcomes_.written += count;
    outcomes_.views.resize(views_);
    for (ViewOutcomes& view : outcomes_.views) view.written += count;
    store_->Take(std::move(batch));
    return Status::OK();
  }
  Result<RowOutcomes> Flush() override { return std::exchange(outcomes_, {}); }

 private:
  SinkStore* const store_;
  const size_t views_;
  RowOutcomes outcomes_;
};

}  // namespace

Result<std::unique_ptr<OnlineWriter>> SinkStore::OpenWriter(std::span<const ViewColumns> views,
                                                            int) {
  return std::make_unique<SinkWriter>(this, views.size());
}

Result<StoredRows> SinkStore::Read(const ViewColumns&, std::span<const std::string> keys) {
  return StoredRows(keys.size());
}

void SinkStore::Take(std::shared_ptr<const EncodedBatch> batch) {
  if (!options_.keep) return;
  std::lock_guard lock(mutex_);
  kept_.push_back(std::move(batch));
}

Result<std::unique_ptr<OnlineWriter>> TimedStore::OpenWriter(std::span<const ViewColumns> views,
                                                             int lane) {
  {
    std::lock_guard lock(mutex_);
    if (first_writer_ == 0) first_writer_ = Now();
  }
  return store_->OpenWriter(views, lane);
}

Result<StoredRows> TimedStore::Read(const ViewColumns& view, std::span<const std::string> keys) {
  return store_->Read(view, keys);
}

}  // namespace banquet::bench
