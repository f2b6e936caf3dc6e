#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "banquet/base/sql_name.h"
#include "banquet/online/sqlite/row_feed.h"
#include "banquet/online/sqlite/view_writer.h"

namespace banquet::sqlite {
namespace {

// Feature rows of one statement. Bounds what is noted of stored rows (16 bytes each).
constexpr size_t kSliceCellsMax = size_t{1} << 16;

// What the table holds of one entity.
class StoredEntity {
 public:
  // A row's event_ts in `column` of a statement.
  void TakeTime(const Statement& row, int column) {
    if (row.IsNumber(column)) {
      newest_ = std::max(newest_.value_or(row.Int(column)), row.Int(column));
    } else if (!row.IsNull(column)) {
      has_text_ = true;
    }
  }
  // Text is greater than every number, and says nothing.
  bool IsNewerThan(int64_t event_seconds) const {
    return !has_text_ && newest_.has_value() && event_seconds < *newest_;
  }

 private:
  std::optional<int64_t> newest_;
  bool has_text_ = false;
};

class FeedWriter final : public ViewWriter {
 public:
  static Result<std::unique_ptr<ViewWriter>> Make(Database* database, ViewTarget target) {
    std::unique_ptr<FeedWriter> writer(new FeedWriter(std::move(target)));
    BANQUET_RETURN_NOT_OK(writer->Prepare(database));
    return writer;
  }

  Status Write(std::span<PendingRows> pending, ViewTally* tally) override {
    BANQUET_ASSIGN_OR_RETURN(has_trigger_, FindTrigger());
    const size_t slice_rows =
        std::max<size_t>(1, kSliceCellsMax / std::max<size_t>(1, features_.names().size()));
    for (const std::vector<RowPlace>& rows : RoundsByKey(pending)) {
      for (size_t first = 0; first < rows.size(); first += slice_rows) {
        const size_t count = std::min(slice_rows, rows.size() - first);
        BANQUET_RETURN_NOT_OK(WriteSlice(std::span(rows).subspan(first, count), tally));
      }
    }
    return Status::OK();
  }

 private:
  using StoredIds = std::vector<std::optional<int64_t>>;  // Per row and feature of the feed.

  struct Statements {
    Statement triggers;
    Statement any_between;
    Statement stored;
    Statement upsert;
    std::optional<Statement> upsert_by_rowid;  // Where the table allows it.
  };

  explicit FeedWriter(ViewTarget target) : target_(std::move(target)), features_(target_) {}

  Status Prepare(Database* database) {
    const std::string table = TableNameOf(target_.view);
    const std::string entities = fmt::format("sqlite_banquet_entities_{}", target_.number);
    const std::string features = fmt::format("sqlite_banquet_features_{}", target_.number);
    BANQUET_RETURN_NOT_OK(database->AddFeed(entities, EntityFeed::kColumns, &entities_));
    BANQUET_RETURN_NOT_OK(database->AddFeed(features, FeatureFeed::kColumns, &features_));
    // WHERE true tells ON CONFLICT from a join's ON.
    const auto select = [&](std::string_view more) {
      return fmt::format(
          "SELECT entity_key, feature_name, value, value_text, event_ts, created_ts{}{} FROM {} "
          "WHERE true",
          target_.form.value_num ? ", value_num" : "", more, features);
    };
    BANQUET_ASSIGN_OR_RETURN(Statement upsert,
                             database->Prepare(UpsertSql(table, target_.form, select(""))));
    BANQUET_ASSIGN_OR_RETURN(
        Statement any_between,
        database->Prepare(
            fmt::format("SELECT EXISTS (SELECT 1 FROM {} WHERE entity_key BETWEEN ?1 AND ?2)",
                        QuoteName(table))));
    BANQUET_ASSIGN_OR_RETURN(
        Statement triggers,
        database->Prepare("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND "
                          "tbl_name = ?1 COLLATE NOCASE)"));
    BANQUET_ASSIGN_OR_RETURN(
        std::optional<Statement> by_rowid,
        PrepareByRowId(database, UpsertByRowIdSql(table, target_.form, select(", stored_id"))));
    BANQUET_ASSIGN_OR_RETURN(
        Statement stored,
        database->Prepare(fmt::format("SELECT feed.place, t.event_ts, t.feature_name, {} FROM {} "
                                      "AS feed CROSS JOIN {} AS t ON t.entity_key = "
                                      "feed.entity_key",
                                      by_rowid.has_value() ? "t.rowid" : "NULL", entities,
                                      QuoteName(table))));
    statements_.emplace(Statements{std::move(triggers), std::move(any_between), std::move(stored),
                                   std::move(upsert), std::move(by_rowid)});
    return Status::OK();
  }

  // Nothing where the table has no rowid.
  static Result<std::optional<Statement>> PrepareByRowId(Database* database,
                                                         const std::string& sql) {
    Result<Statement> upsert = database->Prepare(sql);
    if (!upsert.ok() && database->last_error_is_of_sql()) return std::nullopt;
    BANQUET_RETURN_NOT_OK(upsert.status());
    return std::move(upsert).ValueUnsafe();
  }

  // A trigger might give a rowid to another row while the feed is being written. Asked within the
  // transaction: nobody can make one afterwards.
  Result<bool> FindTrigger() {
    const std::string table = TableNameOf(target_.view);
    Statement& triggers = statements_->triggers;
    BANQUET_RETURN_NOT_OK(triggers.BindText(1, table));
    BANQUET_ASSIGN_OR_RETURN(const bool row, triggers.Step());
    const bool found = row && triggers.Int(0) != 0;
    triggers.Reset();
    return found;
  }

  Status WriteSlice(std::span<const RowPlace> slice, ViewTally* tally) {
    std::vector<RowPlace> rows(slice.begin(), slice.end());
    StoredIds stored_ids;
    BANQUET_ASSIGN_OR_RETURN(const bool any, AnyStoredBetween(rows.front().key, rows.back().key));
    if (any) {
      BANQUET_ASSIGN_OR_RETURN(stored_ids, LookUp(&rows, &tally->outcomes));
    }
    features_.Show(rows, stored_ids);
    const bool by_rowid =
        !stored_ids.empty() && !has_trigger_ && statements_->upsert_by_rowid.has_value();
    BANQUET_RETURN_NOT_OK((by_rowid ? *statements_->upsert_by_rowid : statements_->upsert).Run());
    for (const RowPlace& row : rows) row.rows->written[row.place] = 1;
    tally->outcomes.written += static_cast<int64_t>(rows.size());
    tally->bytes += BytesOf(rows);
    return Status::OK();
  }

  // Into an empty table, and behind the last row of a load in the order of keys, nothing is to be
  // looked up.
  Result<bool> AnyStoredBetween(std::string_view first, std::string_view last) {
    Statement& any = statements_->any_between;
    BANQUET_RETURN_NOT_OK(any.BindBlob(1, first));
    BANQUET_RETURN_NOT_OK(any.BindBlob(2, last));
    BANQUET_ASSIGN_OR_RETURN(const bool row, any.Step());
    const bool found = row && any.Int(0) != 0;
    any.Reset();
    return found;
  }

  // Finds what the table holds of the rows: drops the stale ones, gives the rowids of the others.
  Result<StoredIds> LookUp(std::vector<RowPlace>* rows, ViewOutcomes* outcomes) {
    const std::span<const std::string_view> names = features_.names();
    std::vector<StoredEntity> entities(rows->size());
    StoredIds stored_ids(rows->size() * names.size());
    entities_.Show(*rows);
    Statement& stored = statements_->stored;
    size_t next = 0;  // Mostly the name that comes: rows of an entity are stored by their names.
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const bool row, stored.Step());
      if (!row) break;
      const auto place = static_cast<size_t>(stored.Int(0));
      entities[place].TakeTime(stored, 1);
      if (!stored.IsText(2) || stored.IsNull(3)) continue;
      const std::string_view name = stored.Bytes(2);
      if (next >= names.size() || names[next] != name) {
        next = static_cast<size_t>(std::ranges::lower_bound(names, name) - names.begin());
        if (next == names.size() || names[next] != name) continue;
      }
      stored_ids[place * names.size() + next] = stored.Int(3);
      next = next + 1 == names.size() ? 0 : next + 1;
    }
    stored.Reset();
    if (target_.view.overwrite == Overwrite::kNewest) {
      outcomes->stale += DropStale(entities, rows, &stored_ids);
    }
    return stored_ids;
  }

  int64_t DropStale(const std::vector<StoredEntity>& entities, std::vector<RowPlace>* rows,
                    StoredIds* stored_ids) const {
    const auto width = static_cast<std::ptrdiff_t>(features_.names().size());
    size_t kept = 0;
    for (size_t i = 0; i < rows->size(); ++i) {
      const RowPlace row = (*rows)[i];
      if (entities[i].IsNewerThan(row.rows->event_seconds[row.place])) continue;
      if (kept != i) {
        (*rows)[kept] = row;
        const auto ids = stored_ids->begin() + static_cast<std::ptrdiff_t>(i) * width;
        std::copy(ids, ids + width,
                  stored_ids->begin() + static_cast<std::ptrdiff_t>(kept) * width);
      }
      ++kept;
    }
    const auto dropped = static_cast<int64_t>(rows->size() - kept);
    rows->resize(kept);
    return dropped;
  }

  int64_t BytesOf(const std::vector<RowPlace>& rows) const {
    size_t bytes = 0;
    size_t name_bytes = 0;
    for (const std::string_view name : features_.names()) name_bytes += name.size();
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
  std::optional<Statements> statements_;  // Gone before the feeds that they read.
  bool has_trigger_ = false;              // In this flush.
};

}  // namespace

Result<std::unique_ptr<ViewWriter>> MakeFeedWriter(Database* database, ViewTarget target) {
  return FeedWriter::Make(database, std::move(target));
}

}  // namespace banquet::sqlite
