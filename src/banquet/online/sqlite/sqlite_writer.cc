#include "banquet/online/sqlite/sqlite_writer.h"

#include <optional>
#include <utility>

#include "banquet/online/flush_rows.h"
#include "banquet/online/sqlite/view_writer.h"

namespace banquet::sqlite {
namespace {

class SqliteWriter final : public OnlineWriter {
 public:
  SqliteWriter(std::unique_ptr<Database> database, std::vector<std::unique_ptr<ViewWriter>> views,
               TimeRule times)
      : database_(std::move(database)), views_(std::move(views)), times_(times) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_RETURN_NOT_OK(CheckViews(*batch, views_.size()));
    PendingRows& pending = pending_.emplace_back();
    const size_t count = rows.Count(batch->rows);
    pending.written.assign(count, 0);
    pending.event_seconds.reserve(count);
    pending.created_seconds.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows.At(i);
      pending.event_seconds.push_back(ToStoredSeconds(batch->event_us[row], times_));
      std::optional<int64_t>& created = pending.created_seconds.emplace_back();
      if (!batch->created_us.empty() && batch->created_valid[row] != 0) {
        created = ToStoredSeconds(batch->created_us[row], times_);
      }
    }
    pending.batch = std::move(batch);
    pending.rows = rows;
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    if (pending_.empty()) return outcomes;
    BANQUET_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_.get()));
    for (const std::unique_ptr<ViewWriter>& view : views_) {
      ViewTally tally;
      BANQUET_RETURN_NOT_OK(view->Write(pending_, &tally));
      outcomes.views.push_back(tally.outcomes);
      outcomes.bytes += tally.bytes;
    }
    BANQUET_RETURN_NOT_OK(transaction.Commit());
    for (const PendingRows& pending : pending_) {
      for (const uint8_t written : pending.written) {
        ++(written != 0 ? outcomes.written : outcomes.stale);
      }
    }
    pending_.clear();
    return outcomes;
  }

 private:
  const std::unique_ptr<Database> database_;  // Outlives the statements.
  const std::vector<std::unique_ptr<ViewWriter>> views_;
  const TimeRule times_;
  std::vector<PendingRows> pending_;
};

}  // namespace

Result<std::unique_ptr<OnlineWriter>> MakeWriter(std::unique_ptr<Database> database,
                                                 std::span<const ViewColumns> views,
                                                 const WriterSettings& settings) {
  std::vector<std::unique_ptr<ViewWriter>> writers;
  for (const ViewColumns& view : views) {
    ViewTarget target{.view = view, .number = writers.size(), .form = settings.form};
    BANQUET_ASSIGN_OR_RETURN(writers.emplace_back(),
                             settings.feed ? MakeFeedWriter(database.get(), std::move(target))
                                           : MakeRowWriter(database.get(), std::move(target)));
  }
  return std::make_unique<SqliteWriter>(std::move(database), std::move(writers), settings.times);
}

}  // namespace banquet::sqlite
