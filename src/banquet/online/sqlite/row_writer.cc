#include <fmt/format.h>

#include <string>
#include <utility>

#include "banquet/base/sql_name.h"
#include "banquet/online/sqlite/view_writer.h"

namespace banquet::sqlite {
namespace {

class RowWriter final : public ViewWriter {
 public:
  RowWriter(ViewTarget target, Statement newest, Statement upsert)
      : target_(std::move(target)), newest_(std::move(newest)), upsert_(std::move(upsert)) {}

  Status Write(std::span<PendingRows> pending, ViewTally* tally) override {
    for (PendingRows& rows : pending) BANQUET_RETURN_NOT_OK(WriteRows(&rows, tally));
    return Status::OK();
  }

 private:
  Status WriteRows(PendingRows* pending, ViewTally* tally) {
    const bool guarded = target_.view.overwrite == Overwrite::kNewest;
    for (size_t i = 0; i < pending->written.size(); ++i) {
      if (guarded) {
        BANQUET_ASSIGN_OR_RETURN(const std::optional<int64_t> stored,
                                 StoredTime(pending->batch->keys[pending->rows.At(i)]));
        if (stored.has_value() && pending->event_seconds[i] < *stored) {
          ++tally->outcomes.stale;
          continue;
        }
      }
      BANQUET_RETURN_NOT_OK(WriteRow(*pending, i, &tally->bytes));
      ++tally->outcomes.written;
      pending->written[i] = 1;
    }
    return Status::OK();
  }

  Result<std::optional<int64_t>> StoredTime(std::string_view key) {
    BANQUET_RETURN_NOT_OK(newest_.BindBlob(1, key));
    BANQUET_ASSIGN_OR_RETURN(const bool row, newest_.Step());
    std::optional<int64_t> stored;
    if (row && newest_.IsNumber(0)) stored = newest_.Int(0);
    newest_.Reset();
    return stored;
  }

  Status WriteRow(const PendingRows& pending, size_t i, int64_t* bytes) {
    const uint32_t row = pending.rows.At(i);
    const std::string_view key = pending.batch->keys[row];
    const std::vector<EncodedFeature>& features = pending.batch->views[target_.number];
    BANQUET_RETURN_NOT_OK(upsert_.BindBlob(1, key));
    BANQUET_RETURN_NOT_OK(upsert_.BindInt(5, pending.event_seconds[i]));
    BANQUET_RETURN_NOT_OK(upsert_.BindIntOrNull(6, pending.created_seconds[i]));
    for (size_t f = 0; f < features.size(); ++f) {
      const EncodedFeature& feature = features[f];
      const std::string& name = target_.view.features[f].name;
      const std::string_view value = feature.values[row];
      BANQUET_RETURN_NOT_OK(upsert_.BindText(2, name));
      BANQUET_RETURN_NOT_OK(upsert_.BindBlob(3, value));
      const bool has_text = !feature.text_valid.empty() && feature.text_valid[row] != 0;
      BANQUET_RETURN_NOT_OK(has_text ? upsert_.BindText(4, feature.text[row])
                                     : upsert_.BindNull(4));
      if (target_.form.value_num) {
        const bool has_num = !feature.num_valid.empty() && feature.num_valid[row] != 0;
        BANQUET_RETURN_NOT_OK(has_num ? upsert_.BindReal(7, feature.num[row])
                                      : upsert_.BindNull(7));
      }
      BANQUET_RETURN_NOT_OK(upsert_.Run());
      *bytes += static_cast<int64_t>(key.size() + name.size() + value.size());
    }
    return Status::OK();
  }

  const ViewTarget target_;
  Statement newest_;  // The entity's stored time.
  Statement upsert_;
};

}  // namespace

Result<std::unique_ptr<ViewWriter>> MakeRowWriter(Database* database, ViewTarget target) {
  const std::string table = TableNameOf(target.view);
  BANQUET_ASSIGN_OR_RETURN(
      Statement newest,
      database->Prepare(
          fmt::format("SELECT max(event_ts) FROM {} WHERE entity_key = ?1", QuoteName(table))));
  BANQUET_ASSIGN_OR_RETURN(Statement upsert, database->Prepare(UpsertSql(
                                                 table, target.form, RowParameters(target.form))));
  return std::make_unique<RowWriter>(std::move(target), std::move(newest), std::move(upsert));
}

}  // namespace banquet::sqlite
