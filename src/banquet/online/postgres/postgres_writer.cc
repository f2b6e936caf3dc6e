#include "banquet/online/postgres/postgres_writer.h"

#include <algorithm>
#include <utility>

#include "banquet/client/postgres/sql_state.h"
#include "banquet/online/flush_rows.h"
#include "banquet/online/postgres/upsert.h"

namespace banquet::postgres {
namespace {

constexpr int kAttemptsMax = 10;  // Of a flush that others overtake.

// The statements of a writer find a handful of entities among millions: by index, whatever the
// planner believes of a stage that was never analyzed.
constexpr char kPlanByIndex[] =
    "SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', "
    "false), set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)";

class PostgresWriter final : public OnlineWriter {
 public:
  PostgresWriter(std::unique_ptr<Connection> connection, std::vector<ViewUpsert> views,
                 FreshTables* fresh)
      : connection_(std::move(connection)), views_(std::move(views)), fresh_(fresh) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_RETURN_NOT_OK(CheckViews(*batch, views_.size()));
    pending_.push_back({.batch = std::move(batch), .rows = rows});
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    const std::vector<FlushRound> rounds = RoundsOf(pending_);
    if (rounds.empty()) {
      pending_.clear();
      return RowOutcomes{};
    }
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      RowOutcomes outcomes;
      BANQUET_ASSIGN_OR_RETURN(const bool is_kept, TryFlush(rounds, &outcomes));
      if (!is_kept) continue;
      pending_.clear();
      return outcomes;
    }
    return RemoteError({.retryable = true}, "{}: others write the same entities all the time",
                       connection_->server());
  }

 private:
  // False: somebody else wrote one of the entities meanwhile; nothing was kept.
  Result<bool> TryFlush(std::span<const FlushRound> rounds, RowOutcomes* outcomes) {
    BANQUET_RETURN_NOT_OK(connection_->Run("BEGIN"));
    std::vector<uint8_t> written(RowsOf(rounds), 0);
    for (ViewUpsert& view : views_) {
      RowFate fate;
      const Status status = WriteView(&view, rounds, &fate);
      const bool is_taken =
          connection_->sql_state() == kUniqueViolation && fresh_->Contains(view.table().name);
      if (is_taken) fresh_->Set(view.table().name, false);
      if (is_taken || fate.is_overtaken) {
        BANQUET_RETURN_NOT_OK(connection_->Run("ROLLBACK"));
        return false;
      }
      BANQUET_RETURN_NOT_OK(status);
      Count(fate, &written, outcomes);
    }
    BANQUET_RETURN_NOT_OK(connection_->Run("COMMIT"));
    outcomes->written = std::ranges::count(written, 1);
    outcomes->stale = std::ranges::count(written, 0);
    return true;
  }

  Status WriteView(ViewUpsert* view, std::span<const FlushRound> rounds, RowFate* fate) {
    if (fresh_->Contains(view->table().name)) {
      BANQUET_RETURN_NOT_OK(view->Copy(rounds.front(), fate));
    } else {
      BANQUET_RETURN_NOT_OK(view->Upsert(rounds.front(), fate));
    }
    for (const FlushRound& round : rounds.subspan(1)) {
      BANQUET_RETURN_NOT_OK(view->ClearStage());
      BANQUET_RETURN_NOT_OK(view->Upsert(round, fate));
    }
    return Status::OK();
  }

  static void Count(const RowFate& fate, std::vector<uint8_t>* written, RowOutcomes* outcomes) {
    std::vector<uint8_t> by_view(written->size(), 1);
    for (const uint32_t place : fate.stale) by_view[place] = 0;
    for (size_t i = 0; i < by_view.size(); ++i) (*written)[i] |= by_view[i];
    const auto stale = static_cast<int64_t>(fate.stale.size());
    outcomes->views.push_back(
        {.written = static_cast<int64_t>(by_view.size()) - stale, .stale = stale});
    outcomes->bytes += fate.bytes;
  }

  const std::unique_ptr<Connection> connection_;  // Outlives what borrows it.
  std::vector<ViewUpsert> views_;
  FreshTables* const fresh_;
  std::vector<PendingRows> pending_;
};

}  // namespace

Result<std::unique_ptr<OnlineWriter>> MakeWriter(std::unique_ptr<Connection> connection,
                                                 std::span<const ViewColumns> views,
                                                 std::vector<ViewTable> tables,
                                                 FreshTables* fresh) {
  BANQUET_RETURN_NOT_OK(connection->Run(kPlanByIndex));
  std::vector<ViewUpsert> upserts;
  for (size_t i = 0; i < views.size(); ++i) {
    upserts.emplace_back(connection.get(), views[i], i, std::move(tables[i]));
    BANQUET_RETURN_NOT_OK(upserts.back().MakeStage(/*of_transaction=*/false));
  }
  return std::make_unique<PostgresWriter>(std::move(connection), std::move(upserts), fresh);
}

}  // namespace banquet::postgres
