#include "banquet/online/dynamodb/dynamodb_writer.h"

#include <algorithm>
#include <utility>

#include "banquet/online/dynamodb/view_writer.h"
#include "banquet/online/flush_rows.h"

namespace banquet::dynamodb {
namespace {

class DynamoWriter final : public OnlineWriter {
 public:
  DynamoWriter(std::unique_ptr<Client> client, std::vector<ViewWriter> views)
      : client_(std::move(client)), views_(std::move(views)) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_RETURN_NOT_OK(CheckViews(*batch, views_.size()));
    pending_.push_back({.batch = std::move(batch), .rows = rows});
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    const std::vector<FlushRound> rounds = RoundsOf(pending_);
    Fates fates(views_.size(), std::vector<RowFate>(RowsOf(rounds), RowFate::kUndecided));
    RowOutcomes outcomes;
    for (const FlushRound& round : rounds) {
      for (size_t i = 0; i < views_.size(); ++i) {
        BANQUET_RETURN_NOT_OK(views_[i].Write(round, &fates[i]));
        outcomes.bytes += views_[i].TakeBytes();
      }
      // An entity that comes again must meet what this round was to leave.
      if (HasUndecided(round, fates)) break;
    }
    Count(fates, &outcomes);
    pending_.clear();
    return outcomes;
  }

 private:
  using Fates = std::vector<std::vector<RowFate>>;  // [view][place]

  static bool IsUndecided(const Fates& fates, size_t place) {
    return std::ranges::any_of(
        fates, [&](const auto& of_view) { return of_view[place] == RowFate::kUndecided; });
  }
  static bool HasUndecided(const FlushRound& round, const Fates& fates) {
    return std::ranges::any_of(round,
                               [&](const FlushRow& row) { return IsUndecided(fates, row.place); });
  }

  void Count(const Fates& fates, RowOutcomes* outcomes) const {
    outcomes->views.resize(fates.size());
    size_t place = 0;
    for (const PendingRows& pending : pending_) {
      const size_t count = pending.rows.Count(pending.batch->rows);
      for (size_t i = 0; i < count; ++i) CountRow(fates, place++, pending.rows.At(i), outcomes);
    }
    if (outcomes->written + outcomes->stale == 0) outcomes->views.clear();
  }

  static void CountRow(const Fates& fates, size_t place, uint32_t row, RowOutcomes* outcomes) {
    if (IsUndecided(fates, place)) {
      outcomes->undecided.push_back(row);
      return;
    }
    bool is_written = false;
    for (size_t view = 0; view < fates.size(); ++view) {
      const bool by_view = fates[view][place] == RowFate::kWritten;
      ++(by_view ? outcomes->views[view].written : outcomes->views[view].stale);
      is_written = is_written || by_view;
    }
    ++(is_written ? outcomes->written : outcomes->stale);
  }

  const std::unique_ptr<Client> client_;  // Outlives what borrows it.
  std::vector<ViewWriter> views_;
  std::vector<PendingRows> pending_;
};

}  // namespace

std::unique_ptr<OnlineWriter> MakeWriter(std::unique_ptr<Client> client,
                                         std::vector<ViewTarget> targets, Clock* clock,
                                         const std::stop_token& stop) {
  std::vector<ViewWriter> views;
  for (ViewTarget& target : targets) {
    views.emplace_back(client.get(), std::move(target), clock, stop);
  }
  return std::make_unique<DynamoWriter>(std::move(client), std::move(views));
}

}  // namespace banquet::dynamodb
