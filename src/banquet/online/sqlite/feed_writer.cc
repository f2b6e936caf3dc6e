#include <fmt/format.h>

#include <string>
#include <utility>

#include "banquet/online/sqlite/row_feed.h"
#include "banquet/online/sqlite/view_writer.h"

namespace banquet::sqlite {
namespace {

class FeedWriter final : public ViewWriter {
 public:
  static Result<std::unique_ptr<ViewWriter>> Make(Database* database, ViewTarget target) {
    std::unique_ptr<FeedWriter> writer(new FeedWriter(std::move(target)));
    BANQUET_RETURN_NOT_OK(writer->Prepare(database));
    return writer;
  }

  Status Write(std::span<PendingRows> pending, ViewTally* tally) override {
    for (std::vector<RowPlace>& rows : RoundsByKey(pending)) {
      BANQUET_RETURN_NOT_OK(WriteRound(&rows, tally));
    }
    return Status::OK();
  }

 private:
  // The statements go before the feeds that they read.
  struct Statements {
    Statement any_between;
    Statement newest;
    Statement upsert;
  };

  explicit FeedWriter(ViewTarget target) : target_(std::move(target)), features_(target_) {}

  Status Prepare(Database* database) {
    const std::string table = QuoteName(TableNameOf(target_.view));
    const std::string entities = fmt::format("sqlite_banquet_entities_{}", target_.number);
    const std::string features = fmt::format("sqlite_banquet_features_{}", target_.number);
    BANQUET_RETURN_NOT_OK(database->AddFeed(entities, EntityFeed::kColumns, &entities_));
    BANQUET_RETURN_NOT_OK(database->AddFeed(features, FeatureFeed::kColumns, &features_));
    BANQUET_ASSIGN_OR_RETURN(
        Statement any_between,
        database->Prepare(fmt::format(
            "SELECT EXISTS (SELECT 1 FROM {} WHERE entity_key BETWEEN ?1 AND ?2)", table)));
    BANQUET_ASSIGN_OR_RETURN(
        Statement newest,
        database->Prepare(fmt::format("SELECT place, (SELECT max(event_ts) FROM {} WHERE "
                                      "entity_key = feed.entity_key) FROM {} AS feed",
                                      table, entities)));
    // WHERE true tells ON CONFLICT from a join's ON.
    BANQUET_ASSIGN_OR_RETURN(
        Statement upsert,
        database->Prepare(
            UpsertSql(TableNameOf(target_.view), target_.form,
                      fmt::format("SELECT entity_key, feature_name, value, value_text, event_ts, "
                                  "created_ts{} FROM {} WHERE true",
                                  target_.form.value_num ? ", value_num" : "", features))));
    statements_.emplace(Statements{std::move(any_between), std::move(newest), std::move(upsert)});
    return Status::OK();
  }

  Status WriteRound(std::vector<RowPlace>* rows, ViewTally* tally) {
    if (rows->empty()) return Status::OK();
    if (target_.view.overwrite == Overwrite::kNewest) {
      BANQUET_ASSIGN_OR_RETURN(const bool any,
                               AnyStoredBetween(rows->front().key, rows->back().key));
      if (any) BANQUET_RETURN_NOT_OK(DropStale(rows, &tally->outcomes));
    }
    features_.Show(*rows);
    BANQUET_RETURN_NOT_OK(statements_->upsert.Run());
    for (const RowPlace& row : *rows) row.rows->written[row.place] = 1;
    tally->outcomes.written += static_cast<int64_t>(rows->size());
    tally->bytes += BytesOf(*rows);
    return Status::OK();
  }

  // Into an empty table, and behind the last row of a load in the order of keys, nothing is to be
  // guarded.
  Result<bool> AnyStoredBetween(std::string_view first, std::string_view last) {
    Statement& any = statements_->any_between;
    BANQUET_RETURN_NOT_OK(any.BindBlob(1, first));
    BANQUET_RETURN_NOT_OK(any.BindBlob(2, last));
    BANQUET_ASSIGN_OR_RETURN(const bool row, any.Step());
    const bool found = row && any.Int(0) != 0;
    any.Reset();
    return found;
  }

  Status DropStale(std::vector<RowPlace>* rows, ViewOutcomes* outcomes) {
    entities_.Show(*rows);
    Statement& newest = statements_->newest;
    std::vector<uint8_t> stale(rows->size(), 0);
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const bool row, newest.Step());
      if (!row) break;
      const auto i = static_cast<size_t>(newest.Int(0));
      const RowPlace& entity = (*rows)[i];
      if (newest.IsNumber(1) && entity.rows->event_seconds[entity.place] < newest.Int(1)) {
        stale[i] = 1;
      }
    }
    newest.Reset();
    size_t kept = 0;
    for (size_t i = 0; i < rows->size(); ++i) {
      if (stale[i] == 0) (*rows)[kept++] = (*rows)[i];
    }
    outcomes->stale += static_cast<int64_t>(rows->size() - kept);
    rows->resize(kept);
    return Status::OK();
  }

  int64_t BytesOf(const std::vector<RowPlace>& rows) const {
    size_t bytes = 0;
    size_t name_bytes = 0;
    for (const Field& feature : target_.view.features) name_bytes += feature.name.size();
    for (const RowPlace& row : rows) {
      const auto& features = row.rows->batch->views[target_.number];
      bytes += row.key.size() * features.size() + name_bytes;
      const uint32_t batch_row = row.rows->rows.At(row.place);
      for (const EncodedFeature& feature : features) bytes += feature.values[batch_row].size();
    }
    return static_cast<int64_t>(bytes);
  }

  const ViewTarget target_;
  EntityFeed entities_;
  FeatureFeed features_;
  std::optional<Statements> statements_;
};

}  // namespace

Result<std::unique_ptr<ViewWriter>> MakeFeedWriter(Database* database, ViewTarget target) {
  return FeedWriter::Make(database, std::move(target));
}

}  // namespace banquet::sqlite
