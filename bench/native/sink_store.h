#pragma once
// Online stores that end the way of a batch without a database.

#include <memory>
#include <mutex>
#include <vector>

#include "banquet/online/online_store.h"

namespace banquet::bench {

// Takes every batch, says it is written, and drops or keeps it.
class SinkStore final : public OnlineStore {
 public:
  struct Options {
    WriteNeeds needs;
    bool keep = false;
  };
  explicit SinkStore(const Options& options) : options_(options) {}

  WriteNeeds needs() const override { return options_.needs; }
  Status Check(std::span<const ViewColumns>) override { return Status::OK(); }
  Status Prepare(std::span<const ViewColumns>) override { return Status::OK(); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int lane) override;
  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override;
  Status Remove(const ViewColumns&) override { return Status::OK(); }
  std::string_view type() const override { return "sink"; }
  std::string Describe() const override { return "a sink"; }

  // The kept batches, as they came. To be called after the run.
  const std::vector<std::shared_ptr<const EncodedBatch>>& kept() const { return kept_; }
  void Take(std::shared_ptr<const EncodedBatch> batch);

 private:
  const Options options_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const EncodedBatch>> kept_;
};

// A real store that notes when the first writer was asked for: there the reading ends and the
// writing begins. Borrows the store.
class TimedStore final : public OnlineStore {
 public:
  explicit TimedStore(OnlineStore* store) : store_(store) {}

  WriteNeeds needs() const override { return store_->needs(); }
  Status Check(std::span<const ViewColumns> views) override { return store_->Check(views); }
  Status Prepare(std::span<const ViewColumns> views) override { return store_->Prepare(views); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int lane) override;
  Status ConfirmWritten() override { return store_->ConfirmWritten(); }
  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override;
  Status Remove(const ViewColumns& view) override { return store_->Remove(view); }
  std::string_view type() const override { return store_->type(); }
  std::string Describe() const override { return store_->Describe(); }

  // On the clock of Now(); 0 when no writer was opened.
  double first_writer() const { return first_writer_; }

 private:
  OnlineStore* const store_;
  std::mutex mutex_;
  double first_writer_ = 0;
};

}  // namespace banquet::bench
