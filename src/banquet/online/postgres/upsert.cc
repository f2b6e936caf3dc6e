#include "banquet/online/postgres/upsert.h"

#include <fmt/format.h>

#include <utility>

#include "banquet/client/postgres/wire.h"

namespace banquet::postgres {
namespace {

constexpr size_t kSendBytes = 256 << 10;

}  // namespace

ViewUpsert::ViewUpsert(Connection* connection, ViewColumns view, size_t number, ViewTable table)
    : connection_(connection),
      view_(std::move(view)),
      number_(number),
      table_(std::move(table)),
      stage_(fmt::format("pg_temp.banquet_stage_{}", number)) {}

Status ViewUpsert::MakeStage(bool of_transaction) {
  BANQUET_RETURN_NOT_OK(connection_->Run(fmt::format(
      "CREATE TEMPORARY TABLE banquet_stage_{} (row_number int4, entity_key bytea, feature_name "
      "text, value bytea, value_text text, value_num double precision, event_ts timestamptz, "
      "created_ts timestamptz) ON COMMIT {}",
      number_, of_transaction ? "DROP" : "DELETE ROWS")));
  BANQUET_RETURN_NOT_OK(connection_->Run(UpsertSql()));
  const std::string parameters[] = {""};
  return connection_->Run(StaleSql(), parameters).status();
}

Status ViewUpsert::Copy(std::span<const FlushRow> rows, RowFate* fate) {
  return CopyInto(table_.name, {.value_num = table_.has_value_num}, rows, fate);
}

Status ViewUpsert::Upsert(std::span<const FlushRow> rows, RowFate* fate) {
  BANQUET_RETURN_NOT_OK(
      CopyInto(stage_, {.row_number = true, .value_num = table_.has_value_num}, rows, fate));
  const size_t stale_before = fate->stale.size();
  if (view_.overwrite == Overwrite::kNewest) BANQUET_RETURN_NOT_OK(TakeOutStale(fate));
  BANQUET_ASSIGN_OR_RETURN(const Rows upserted, connection_->Run(UpsertSql()));
  const size_t kept = rows.size() - (fate->stale.size() - stale_before);
  // Fewer: between the two statements somebody committed a newer row of one of the entities.
  fate->is_overtaken = fate->is_overtaken ||
                       upserted.affected() != static_cast<int64_t>(kept * view_.features.size());
  return Status::OK();
}

Status ViewUpsert::ClearStage() { return connection_->Run("TRUNCATE " + stage_).status(); }

Status ViewUpsert::CopyInto(const std::string& target, const CopyColumns& columns,
                            std::span<const FlushRow> rows, RowFate* fate) {
  const CopyFrames frames(view_, columns);
  std::string bytes;
  BANQUET_RETURN_NOT_OK(connection_->StartCopy(
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", target, ColumnsText(columns))));
  const auto send = [&] {
    fate->bytes += static_cast<int64_t>(bytes.size());
    const Status sent = connection_->SendCopy(bytes);
    bytes.clear();
    return sent;
  };
  frames.Begin(&bytes);
  for (const FlushRow& row : rows) {
    BANQUET_RETURN_NOT_OK(
        frames.Row(*row.batch, number_, row.row, static_cast<int32_t>(row.place), &bytes));
    if (bytes.size() >= kSendBytes) BANQUET_RETURN_NOT_OK(send());
  }
  frames.End(&bytes);
  BANQUET_RETURN_NOT_OK(send());
  BANQUET_ASSIGN_OR_RETURN(const int64_t copied, connection_->FinishCopy());
  const auto expected = static_cast<int64_t>(rows.size() * view_.features.size());
  if (copied == expected) return Status::OK();
  return RemoteError({}, "{} took {} rows of {} into {}", connection_->server(), copied, expected,
                     target);
}

Status ViewUpsert::TakeOutStale(RowFate* fate) {
  // Any one feature stands for its entity.
  const std::string first[] = {view_.features.front().name};
  BANQUET_ASSIGN_OR_RETURN(const Rows rows, connection_->Run(StaleSql(), first));
  if (rows.size() == 0) return Status::OK();
  std::string places;
  for (int i = 0; i < rows.size(); ++i) {
    const auto place = NumberOf<int32_t>(rows.Bytes(i, 0));
    fate->stale.push_back(static_cast<uint32_t>(place));
    places += (places.empty() ? "{" : ",") + std::to_string(place);
  }
  const std::string taken[] = {places + "}"};
  return connection_
      ->Run(fmt::format("DELETE FROM {} WHERE row_number = ANY($1::int4[])", stage_), taken)
      .status();
}

std::string ViewUpsert::StaleSql() const {
  return fmt::format(
      "SELECT s.row_number FROM {} s WHERE s.feature_name = $1 AND EXISTS (SELECT 1 FROM {} t "
      "WHERE t.entity_key = s.entity_key AND t.event_ts > s.event_ts)",
      stage_, table_.name);
}

std::string ViewUpsert::UpsertSql() const {
  const std::string columns = ColumnsText({.value_num = table_.has_value_num});
  return fmt::format(
      "INSERT INTO {} AS t ({}) SELECT {} FROM {} ON CONFLICT (entity_key, feature_name) DO UPDATE "
      "SET value = excluded.value, value_text = excluded.value_text{}{}, event_ts = "
      "excluded.event_ts, created_ts = excluded.created_ts{}",
      table_.name, columns, columns, stage_,
      table_.has_value_num ? ", value_num = excluded.value_num" : "",
      table_.has_vector ? ", vector_value = excluded.vector_value" : "",
      view_.overwrite == Overwrite::kNewest
          ? " WHERE t.event_ts IS NULL OR t.event_ts <= excluded.event_ts"
          : "");
}

}  // namespace banquet::postgres
