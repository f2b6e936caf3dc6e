#include "banquet/online/sqlite/sqlite_writer.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace banquet::sqlite {
namespace {

// Rows taken and not yet decided, with their times as stored.
struct PendingRows {
  std::shared_ptr<const EncodedBatch> batch;
  RowSelection rows;
  std::vector<int64_t> event_seconds;                   // Per row taken.
  std::vector<std::optional<int64_t>> created_seconds;  // Per row taken.
  std::vector<uint8_t> written;                         // Per row taken: by any view.
};

struct ViewStatements {
  ViewColumns view;
  Statement newest;  // The entity's stored time.
  Statement upsert;
};

class SqliteWriter final : public OnlineWriter {
 public:
  SqliteWriter(std::unique_ptr<Database> database, std::vector<ViewStatements> views,
               const WriterSettings& settings)
      : database_(std::move(database)), views_(std::move(views)), settings_(settings) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    if (batch->views.size() != views_.size()) {
      return Bug("A batch has not the views of its writer: {} for {}", batch->views.size(),
                 views_.size());
    }
    PendingRows& pending = pending_.emplace_back();
    const size_t count = rows.Count(batch->rows);
    pending.written.assign(count, 0);
    pending.event_seconds.reserve(count);
    pending.created_seconds.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows.At(i);
      pending.event_seconds.push_back(ToStoredSeconds(batch->event_us[row], settings_.times));
      std::optional<int64_t>& created = pending.created_seconds.emplace_back();
      if (!batch->created_us.empty() && batch->created_valid[row] != 0) {
        created = ToStoredSeconds(batch->created_us[row], settings_.times);
      }
    }
    pending.batch = std::move(batch);
    pending.rows = rows;
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    if (pending_.empty()) return outcomes;
    outcomes.views.resize(views_.size());
    BANQUET_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_.get()));
    for (size_t view = 0; view < views_.size(); ++view) {
      for (PendingRows& pending : pending_) {
        BANQUET_RETURN_NOT_OK(WriteView(view, &pending, &outcomes));
      }
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
  Status WriteView(size_t view, PendingRows* pending, RowOutcomes* outcomes) {
    ViewStatements& statements = views_[view];
    const bool guarded = statements.view.overwrite == Overwrite::kNewest;
    const EncodedBatch& batch = *pending->batch;
    for (size_t i = 0; i < pending->written.size(); ++i) {
      const uint32_t row = pending->rows.At(i);
      if (guarded) {
        BANQUET_ASSIGN_OR_RETURN(const std::optional<int64_t> stored,
                                 StoredTime(&statements.newest, batch.keys[row]));
        if (stored.has_value() && pending->event_seconds[i] < *stored) {
          ++outcomes->views[view].stale;
          continue;
        }
      }
      BANQUET_RETURN_NOT_OK(
          WriteRow(&statements, *pending, i, batch.views[view], &outcomes->bytes));
      ++outcomes->views[view].written;
      pending->written[i] = 1;
    }
    return Status::OK();
  }

  static Result<std::optional<int64_t>> StoredTime(Statement* newest, std::string_view key) {
    BANQUET_RETURN_NOT_OK(newest->BindBlob(1, key));
    BANQUET_ASSIGN_OR_RETURN(const bool row, newest->Step());
    std::optional<int64_t> stored;
    if (row && newest->IsNumber(0)) stored = newest->Int(0);
    newest->Reset();
    return stored;
  }

  Status WriteRow(ViewStatements* statements, const PendingRows& pending, size_t i,
                  const std::vector<EncodedFeature>& features, int64_t* bytes) {
    const uint32_t row = pending.rows.At(i);
    const std::string_view key = pending.batch->keys[row];
    Statement& upsert = statements->upsert;
    BANQUET_RETURN_NOT_OK(upsert.BindBlob(1, key));
    BANQUET_RETURN_NOT_OK(upsert.BindInt(5, pending.event_seconds[i]));
    BANQUET_RETURN_NOT_OK(upsert.BindIntOrNull(6, pending.created_seconds[i]));
    for (size_t f = 0; f < features.size(); ++f) {
      const EncodedFeature& feature = features[f];
      const std::string& name = statements->view.features[f].name;
      const std::string_view value = feature.values[row];
      BANQUET_RETURN_NOT_OK(upsert.BindText(2, name));
      BANQUET_RETURN_NOT_OK(upsert.BindBlob(3, value));
      const bool has_text = !feature.text_valid.empty() && feature.text_valid[row] != 0;
      BANQUET_RETURN_NOT_OK(has_text ? upsert.BindText(4, feature.text[row]) : upsert.BindNull(4));
      if (settings_.form.value_num) {
        const bool has_num = !feature.num_valid.empty() && feature.num_valid[row] != 0;
        BANQUET_RETURN_NOT_OK(has_num ? upsert.BindReal(7, feature.num[row]) : upsert.BindNull(7));
      }
      BANQUET_RETURN_NOT_OK(upsert.Run());
      *bytes += static_cast<int64_t>(key.size() + name.size() + value.size());
    }
    return Status::OK();
  }

  const std::unique_ptr<Database> database_;  // Outlives the statements.
  std::vector<ViewStatements> views_;
  const WriterSettings settings_;
  std::vector<PendingRows> pending_;
};

}  // namespace

Result<std::unique_ptr<OnlineWriter>> MakeWriter(std::unique_ptr<Database> database,
                                                 std::span<const ViewColumns> views,
                                                 const WriterSettings& settings) {
  std::vector<ViewStatements> statements;
  for (const ViewColumns& view : views) {
    const std::string table = TableNameOf(view);
    BANQUET_ASSIGN_OR_RETURN(
        Statement newest,
        database->Prepare(
            fmt::format("SELECT max(event_ts) FROM {} WHERE entity_key = ?1", QuoteName(table))));
    BANQUET_ASSIGN_OR_RETURN(Statement upsert, database->Prepare(UpsertSql(table, settings.form)));
    statements.push_back({view, std::move(newest), std::move(upsert)});
  }
  return std::make_unique<SqliteWriter>(std::move(database), std::move(statements), settings);
}

}  // namespace banquet::sqlite
