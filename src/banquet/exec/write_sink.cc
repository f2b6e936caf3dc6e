#include "banquet/exec/write_sink.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "arrow/record_batch.h"
#include "banquet/base/log.h"
#include "banquet/encode/batch_encoder.h"
#include "banquet/exec/take_rows.h"

namespace banquet {
namespace {

constexpr std::chrono::seconds kRetryTellInterval{30};

// A store, and the group's writer on each of its lanes. A lane's writer is used only by the lane's
// holder.
struct Outlet {
  WriteTarget target;
  std::vector<std::unique_ptr<OnlineWriter>> writers;

  // Of this store, which is given no more rows then.
  Status failure() const { return target.tallies.front()->failure(); }
};

class WriteSink final : public Sink {
 public:
  WriteSink(std::vector<ViewColumns> views, std::unique_ptr<BatchEncoder> encoder,
            std::vector<WriteTarget> targets, WriteSettings settings)
      : views_(std::move(views)), encoder_(std::move(encoder)), settings_(std::move(settings)) {
    for (const WriteTarget& target : targets) {
      Outlet& outlet = outlets_.emplace_back();
      outlet.target = target;
      outlet.writers.resize(target.lanes->count());
    }
  }

  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<Local>(); }

  Status Consume(Local&, Batch batch) override {
    if (batch.selection.has_value()) {
      BANQUET_ASSIGN_OR_RETURN(batch.rows, TakeRows(batch.rows, *batch.selection));
    }
    if (settings_.count_winners != nullptr)
      settings_.count_winners->winners += batch.rows->num_rows();
    if (batch.rows->num_rows() == 0) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<const EncodedBatch> encoded,
                             encoder_->Encode(*batch.rows));
    bool is_taken = false;
    for (Outlet& outlet : outlets_) {
      if (!outlet.failure().ok()) continue;
      const Status status = WriteTo(&outlet, encoded);
      if (!status.ok() && FaultOf(status) == Fault::kCancelled) return status;
      is_taken = is_taken || status.ok();
    }
    return is_taken ? Status::OK() : FirstFailure();
  }

  Status Combine(Local&) override { return Status::OK(); }
  Status Finish() override { return FirstFailure(); }

 private:
  Status FirstFailure() const {
    for (const Outlet& outlet : outlets_) BANQUET_RETURN_NOT_OK(outlet.failure());
    return Status::OK();
  }

  Status WriteTo(Outlet* outlet, const std::shared_ptr<const EncodedBatch>& batch) {
    BANQUET_ASSIGN_OR_RETURN(StoreLanes::Lane lane, outlet->target.lanes->Acquire(settings_.stop));
    // It may have failed in another's hands while this one waited for the lane.
    BANQUET_RETURN_NOT_OK(outlet->failure());
    for (StoreTally* tally : outlet->target.tallies) ++tally->with_store;
    const Status status = WritePortions(outlet, lane.index(), batch);
    const bool failed = !status.ok() && FaultOf(status) != Fault::kCancelled;
    if (failed && outlets_.size() > 1) {
      LogWarning("{}: {}; the other stores go on", outlet->target.lanes->name(), MessageOf(status));
    }
    for (StoreTally* tally : outlet->target.tallies) {
      --tally->with_store;
      if (failed) tally->Fail(status);
    }
    return status;
  }

  // All at once, unless the store is to be given so many rows a second.
  Status WritePortions(Outlet* outlet, int lane, const std::shared_ptr<const EncodedBatch>& batch) {
    const size_t portion = outlet->target.lanes->rate().PortionOf(batch->rows);
    if (portion == batch->rows) return WriteUntilDecided(outlet, lane, batch, {});
    for (size_t first = 0; first < batch->rows; first += portion) {
      std::vector<uint32_t> rows(std::min(portion, batch->rows - first));
      std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(first));
      BANQUET_RETURN_NOT_OK(WriteUntilDecided(outlet, lane, batch, std::move(rows)));
    }
    return Status::OK();
  }

  // `rows`: those still undecided; empty: all of the batch.
  Status WriteUntilDecided(Outlet* outlet, int lane,
                           const std::shared_ptr<const EncodedBatch>& batch,
                           std::vector<uint32_t> rows) {
    StoreLanes& lanes = *outlet->target.lanes;
    RetryPolicy retry(settings_.retry, seed_.fetch_add(1));
    while (true) {
      Result<RowOutcomes> outcomes = Attempt(outlet, lane, batch, rows);
      Status failure;
      if (outcomes.ok()) {
        Count(outlet->target.tallies, *outcomes);
        const size_t sent = rows.empty() ? batch->rows : rows.size();
        if (outcomes->undecided.size() < sent) {
          lanes.EndTrouble();
          retry.Reset();
        }
        if (outcomes->undecided.empty()) return Status::OK();
        rows = std::move(outcomes->undecided);
        failure = RemoteError({.retryable = true}, "{} refuses {} rows for now",
                              lanes.store().Describe(), rows.size());
      } else {
        outlet->writers[lane].reset();
        failure = outcomes.status();
        if (!IsRetryable(failure)) return failure;
      }
      if (settings_.stop.stop_requested()) return CancelledError();
      const auto now = settings_.clock->Steady();
      const auto wait = retry.NextWait(
          {.at = now, .trouble_since = lanes.TroubleSince(now), .wait_min = RetryAfterOf(failure)});
      if (wait.count() < 0) {
        return failure.WithMessage(failure.message(), " (gave up after ", retry.attempts(),
                                   " attempts; banquet.retry_timeout)");
      }
      TellRetry(failure);
      if (!settings_.clock->Wait(wait, settings_.stop)) return CancelledError();
    }
  }

  Result<RowOutcomes> Attempt(Outlet* outlet, int lane,
                              const std::shared_ptr<const EncodedBatch>& batch,
                              const std::vector<uint32_t>& rows) {
    std::unique_ptr<OnlineWriter>& writer = outlet->writers[lane];
    if (writer == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(writer, outlet->target.lanes->store().OpenWriter(views_, lane));
    }
    BANQUET_RETURN_NOT_OK(
        AwaitTurn(outlet->target.lanes, rows.empty() ? batch->rows : rows.size()));
    BANQUET_RETURN_NOT_OK(
        writer->Write(batch, rows.empty() ? RowSelection::All() : RowSelection::Of(rows)));
    return writer->Flush();
  }

  Status AwaitTurn(StoreLanes* lanes, size_t rows) {
    const auto wait = lanes->rate().Book(rows, settings_.clock->Steady());
    if (wait.count() > 0 && !settings_.clock->Wait(wait, settings_.stop)) return CancelledError();
    return Status::OK();
  }

  // At once when trouble begins, then now and then while it lasts.
  void TellRetry(const Status& failure) {
    const auto now = settings_.clock->Steady();
    std::lock_guard lock(told_mutex_);
    if (told_at_.has_value() && now - *told_at_ < kRetryTellInterval) return;
    told_at_ = now;
    LogWarning("{}; trying again, for {} s at most (banquet.retry_timeout)", MessageOf(failure),
               std::chrono::duration<double>(settings_.retry.timeout).count());
  }

  // What was sent for all views at once counts in equal parts.
  static void Count(const std::vector<StoreTally*>& tallies, const RowOutcomes& outcomes) {
    const auto views = static_cast<int64_t>(tallies.size());
    for (size_t i = 0; i < outcomes.views.size(); ++i) {
      tallies[i]->written += outcomes.views[i].written;
      tallies[i]->stale += outcomes.views[i].stale;
      tallies[i]->unchanged += outcomes.views[i].unchanged;
    }
    for (StoreTally* tally : tallies) tally->bytes += outcomes.bytes / views;
    tallies.front()->bytes += outcomes.bytes % views;
  }

  const std::vector<ViewColumns> views_;
  const std::unique_ptr<BatchEncoder> encoder_;
  const WriteSettings settings_;
  std::vector<Outlet> outlets_;
  std::atomic<uint64_t> seed_ = 1;
  std::mutex told_mutex_;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeWriteSink(const WriteNode& node, const arrow::Schema& schema,
                                            std::vector<WriteTarget> targets,
                                            WriteSettings settings) {
  EncodeNeeds needs;
  for (const WriteTarget& target : targets) {
    const EncodeNeeds wanted = target.lanes->store().needs().encode;
    needs.value_text |= wanted.value_text;
    needs.value_num |= wanted.value_num;
  }
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<BatchEncoder> encoder,
                           BatchEncoder::Make(node.views, schema, needs));
  return std::make_unique<WriteSink>(node.views, std::move(encoder), std::move(targets),
                                     std::move(settings));
}

}  // namespace banquet
