#pragma once
// How rows of a view get into its table: copied where nobody has written them yet, else staged and
// upserted.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/client/postgres/connection.h"
#include "banquet/model/view_columns.h"
#include "banquet/online/flush_rows.h"
#include "banquet/online/postgres/copy_frames.h"
#include "banquet/online/postgres/view_table.h"

namespace banquet::postgres {

// What became of rows of one view.
struct RowFate {
  std::vector<uint32_t> stale;  // Places, in no order.
  int64_t bytes = 0;            // Sent.
  // Others wrote the same entities at the same moment, so that nothing of it may be kept.
  bool is_overtaken = false;
};

// Writes rows of one view within the caller's transaction. Borrows its connection.
class ViewUpsert {
 public:
  // `number` is the view's in its group: each has a stage of its own.
  ViewUpsert(Connection* connection, ViewColumns view, size_t number, ViewTable table);

  // Makes the stage, a temporary table of the session (or, to try rights and shape only, of the
  // transaction), and tries the statements over it, empty.
  Status MakeStage(bool of_transaction);

  // The rows as they are. An entity's row that is there already is an error of the state
  // kUniqueViolation.
  Status Copy(std::span<const FlushRow> rows, RowFate* fate);

  // Each entity once in `rows`; the stage is empty. Under `overwrite: newest` an entity whose
  // stored time is newer is stale, whole.
  Status Upsert(std::span<const FlushRow> rows, RowFate* fate);

  // The end of a transaction does so too.
  Status ClearStage();

  const ViewTable& table() const { return table_; }

 private:
  Status CopyInto(const std::string& target, const CopyColumns& columns,
                  std::span<const FlushRow> rows, RowFate* fate);
  Status TakeOutStale(RowFate* fate);
  std::string UpsertSql() const;
  std::string StaleSql() const;

  Connection* const connection_;
  const ViewColumns view_;
  const size_t number_;
  const ViewTable table_;
  const std::string stage_;
};

}  // namespace banquet::postgres
