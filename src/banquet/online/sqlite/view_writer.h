#pragma once
// How the rows of one view get into its table, within the transaction of a flush.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/client/sqlite/database.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"
#include "banquet/online/online_store.h"
#include "banquet/online/sqlite/view_table.h"

namespace banquet::sqlite {

// Rows taken and not yet decided, with their times as stored.
struct PendingRows {
  std::shared_ptr<const EncodedBatch> batch;
  RowSelection rows;
  std::vector<int64_t> event_seconds;                   // Per row taken.
  std::vector<std::optional<int64_t>> created_seconds;  // Per row taken.
  std::vector<uint8_t> written;                         // Per row taken: by any view.
};

// A view of a task group, where its rows go, and what a writer needs to know of both.
struct ViewTarget {
  ViewColumns view;
  size_t number = 0;  // In EncodedBatch::views.
  TableForm form;
};

// What a view's rows came to; they hold once the transaction is committed.
struct ViewTally {
  ViewOutcomes outcomes;
  int64_t bytes = 0;
};

// Writes as if row came after row: of one entity's rows the later counts, and under
// `overwrite: newest` each is held against what the one before it left. Borrows its database.
class ViewWriter {
 public:
  virtual ~ViewWriter() = default;
  // Marks the rows that it wrote.
  virtual Status Write(std::span<PendingRows> pending, ViewTally* tally) = 0;
};

// A statement per row: binds and runs.
Result<std::unique_ptr<ViewWriter>> MakeRowWriter(Database* database, ViewTarget target);

// A statement per flush: one INSERT … SELECT over the rows in the order of the table's primary key.
Result<std::unique_ptr<ViewWriter>> MakeFeedWriter(Database* database, ViewTarget target);

}  // namespace banquet::sqlite
