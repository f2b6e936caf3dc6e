#pragma once
// Pending rows of a view as the tables that statements of the feed writer read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "banquet/client/sqlite/feed_table.h"
#include "banquet/online/sqlite/view_writer.h"

namespace banquet::sqlite {

// One row taken. Borrows the pending rows.
struct RowPlace {
  PendingRows* rows = nullptr;
  size_t place = 0;      // In rows.
  std::string_view key;  // Of the batch.
};

// Rows in ascending order of their keys, in which no key comes twice: the first has every key's
// first row, the second its second, and so on. Writing one after the other is writing row after
// row.
std::vector<std::vector<RowPlace>> RoundsByKey(std::span<PendingRows> pending);

// The entities of a round: columns place, entity_key.
class EntityFeed final : public FeedRows {
 public:
  static constexpr const char* kColumns = "place INTEGER, entity_key BLOB";

  // Borrowed while a statement runs.
  void Show(std::span<const RowPlace> rows) { rows_ = rows; }
  Shape shape() const override { return {.groups = rows_.size()}; }
  void Give(size_t group, size_t row, int column, FeedCell cell) const override;

 private:
  std::span<const RowPlace> rows_;
};

// The feature rows of a round, entity by entity, features by the bytes of their names: the order of
// the table's primary key, so that its b-trees grow at their ends.
class FeatureFeed final : public FeedRows {
 public:
  static constexpr const char* kColumns =
      "entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, event_ts INTEGER, "
      "created_ts INTEGER, value_num REAL, stored_id INTEGER";

  // Borrows the target.
  explicit FeatureFeed(const ViewTarget& target);

  // Names in the feed's order.
  std::span<const std::string_view> names() const { return names_; }
  // Borrowed while a statement runs. `stored_ids` has the rowid that each feature row replaces, or
  // is empty.
  void Show(std::span<const RowPlace> rows, std::span<const std::optional<int64_t>> stored_ids) {
    rows_ = rows;
    stored_ids_ = stored_ids;
  }
  Shape shape() const override { return {.groups = rows_.size(), .group_rows = order_.size()}; }
  void Give(size_t group, size_t row, int column, FeedCell cell) const override;

 private:
  const size_t view_number_;
  std::vector<uint32_t> order_;  // Features, as the feed has them.
  std::vector<std::string_view> names_;
  std::span<const RowPlace> rows_;
  std::span<const std::optional<int64_t>> stored_ids_;
};

}  // namespace banquet::sqlite
