#include "banquet/exec/latest_sink.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/encode/entity_key.h"
#include "banquet/exec/contest.h"
#include "banquet/exec/time_columns.h"
#include "banquet/model/entity.h"

namespace banquet {
namespace {

// To ask for a key costs as much as reading and contesting so many rows' keys and times.
constexpr int64_t kRowsPerQuestion = 4;

// A worker's room for the rows of one batch.
class Rows final : public Sink::Local {
 public:
  Entrants entrants;
  ContestScratch scratch;
};

class LatestSink final : public LatestBreaker {
 public:
  LatestSink(std::unique_ptr<EntityKeyEncoder> keys, bool entityless, TimeColumns times,
             ContestForm form, LatestSettings settings)
      : keys_(std::move(keys)),
        entityless_(entityless),
        times_(times),
        form_(form),
        settings_(std::move(settings)),
        contest_({.form = form,
                  .budget = settings_.budget,
                  .spill_directory = settings_.spill_directory,
                  .stop = settings_.stop}) {}

  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<Rows>(); }

  Status Consume(Local& local, Batch batch) override {
    auto& rows = static_cast<Rows&>(local);
    Entrants& entrants = rows.entrants;
    entrants.Clear();
    BANQUET_RETURN_NOT_OK(TakeKeys(batch, &entrants));
    TakeTimes(batch, &entrants);
    BANQUET_RETURN_NOT_OK(settings_.recall->Keep(batch));
    rows_ += static_cast<int64_t>(entrants.size());
    NoteEnd(batch.first_row + batch.rows->num_rows());
    return contest_.Offer(entrants, &rows.scratch);
  }

  Status Combine(Local&) override { return Status::OK(); }

  Status Finish() override {
    std::vector<RowRange> ranges = settings_.ranges;
    if (ranges.empty()) ranges.push_back({.first_row = 0, .rows = end_});
    winners_ = std::make_shared<WinnerMap>(std::move(ranges), settings_.budget);
    BANQUET_RETURN_NOT_OK(contest_.Finish(winners_.get()));
    settings_.fates->winners += contest_.winners();
    settings_.fates->duplicates += rows_ - contest_.winners();
    settings_.fates->full_ties += contest_.full_ties();
    return Status::OK();
  }

  Result<std::unique_ptr<Source>> Output() override { return settings_.recall->Winners(winners_); }

  bool CannotWin(const ScanFragment& fragment, int key_column) override {
    if (!form_.number_keys) return false;
    const std::optional<TimeBounds> times = fragment.time_bounds();
    if (!times.has_value()) return false;
    std::optional<NumberBounds> keys;
    if (entityless_) {
      keys = NumberBounds{};  // The number of the only key.
    } else if (key_column >= 0) {
      keys = fragment.BoundsOf(key_column);
    }
    if (!keys.has_value() || keys->greatest < keys->least) return false;
    const uint64_t further =
        static_cast<uint64_t>(keys->greatest) - static_cast<uint64_t>(keys->least);
    if (further > static_cast<uint64_t>(fragment.rows() / kRowsPerQuestion)) return false;
    return contest_.AllHoldNewer(keys->least, keys->greatest, times->greatest_us);
  }

  int64_t spilled_rows() const override { return contest_.spilled_rows(); }

 private:
  Status TakeKeys(const Batch& batch, Entrants* entrants) const {
    if (form_.number_keys) {
      std::optional<std::span<const uint32_t>> rows;
      if (batch.selection.has_value()) rows = *batch.selection;
      return keys_->AppendNumbers(*batch.rows, rows, &entrants->numbers);
    }
    entrants->bytes_skipped = keys_->common_prefix_size();
    return batch.selection.has_value()
               ? keys_->Append(*batch.rows, *batch.selection, &entrants->bytes)
               : keys_->AppendAll(*batch.rows, &entrants->bytes);
  }

  // Of a batch: the position behind its last row.
  void NoteEnd(int64_t end) {
    int64_t known = end_.load(std::memory_order_relaxed);
    while (known < end && !end_.compare_exchange_weak(known, end)) {
    }
  }

  void TakeTimes(const Batch& batch, Entrants* entrants) const {
    const TimeView event = times_.Event(*batch.rows);
    const TimeView created = times_.Created(*batch.rows);
    const auto count = static_cast<size_t>(
        batch.selection ? static_cast<int64_t>(batch.selection->size()) : batch.rows->num_rows());
    entrants->event_us.resize(count);
    entrants->positions.resize(count);
    if (form_.fine_times) entrants->fine.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const auto row = batch.selection ? int64_t{(*batch.selection)[i]} : static_cast<int64_t>(i);
      entrants->event_us[i] = event.us[row];
      entrants->positions[i] = batch.first_row + row;
      if (!form_.fine_times) continue;
      FineTimes& fine = entrants->fine[i];
      fine.event_nanos = event.Nanos(row);
      if (created.IsNull(row)) continue;
      fine.has_created = true;
      fine.created_us = created.us[row];
      fine.created_nanos = created.Nanos(row);
    }
  }

  const std::unique_ptr<EntityKeyEncoder> keys_;
  const bool entityless_;
  const TimeColumns times_;
  const ContestForm form_;
  const LatestSettings settings_;
  Contest contest_;
  std::atomic<int64_t> rows_ = 0;
  std::atomic<int64_t> end_ = 0;  // Behind the last row that came.
  std::shared_ptr<WinnerMap> winners_;
};

}  // namespace

Result<std::unique_ptr<LatestBreaker>> MakeLatestSink(const LatestNode& node,
                                                      const arrow::Schema& schema,
                                                      LatestSettings settings) {
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<EntityKeyEncoder> keys,
                           EntityKeyEncoder::Make(node.join_keys, node.entity_key_version, schema));
  BANQUET_ASSIGN_OR_RETURN(TimeColumns times, TimeColumns::Find(schema));
  const ContestForm form{.number_keys = keys->has_numbers(),
                         .fine_times = times.has_created() || times.has_nanos()};
  const bool entityless = std::ranges::all_of(
      node.join_keys, [](const Field& key) { return key.name == kDummyJoinKey; });
  return std::make_unique<LatestSink>(std::move(keys), entityless, times, form,
                                      std::move(settings));
}

}  // namespace banquet
