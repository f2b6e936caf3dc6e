#include "banquet/exec/filter_transform.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"
#include "banquet/exec/time_columns.h"

namespace banquet {
namespace {

class FilterTransform final : public Transform {
 public:
  FilterTransform(const FilterNode& node, std::vector<int> keys, TimeColumns times, RowFates* fates)
      : node_(node), keys_(std::move(keys)), times_(times), fates_(fates) {}

  Result<Batch> Apply(Batch batch) const override {
    const TimeView time = times_.Event(*batch.rows);
    std::vector<const arrow::Array*> nullable_keys;
    for (int key : keys_) {
      const arrow::Array& column = *batch.rows->column(key);
      if (column.null_count() > 0) nullable_keys.push_back(&column);
    }
    int64_t null_time = 0, outside = 0, null_key = 0;
    std::vector<uint32_t> kept;
    const int64_t count = batch.rows->num_rows();
    kept.reserve(count);
    for (int64_t row = 0; row < count; ++row) {
      if (time.IsNull(row)) {
        ++null_time;
      } else if (!Inside(time, row)) {
        ++outside;
      } else if (AnyNull(nullable_keys, row)) {
        ++null_key;
      } else {
        kept.push_back(static_cast<uint32_t>(row));
      }
    }
    fates_->null_time += null_time;
    fates_->outside_window += outside;
    fates_->null_key += null_key;
    if (null_key > 0 && node_.fail_on_null_key) {
      return DataError(
          "A join key is null and banquet.on_null_key is fail: {} rows of a batch, key columns {}",
          null_key, fmt::join(node_.key_columns, ", "));
    }
    if (static_cast<int64_t>(kept.size()) < count) batch.selection = std::move(kept);
    return batch;
  }

 private:
  // Nanoseconds count at the end of the window: 10:00:00.000000001 is after END 10:00:00.
  bool Inside(const TimeView& time, int64_t row) const {
    const int64_t us = time.us[row];
    return us >= node_.window.start_us &&
           (us < node_.window.end_us || (us == node_.window.end_us && time.Nanos(row) == 0));
  }
  static bool AnyNull(const std::vector<const arrow::Array*>& columns, int64_t row) {
    for (const arrow::Array* column : columns) {
      if (column->IsNull(row)) return true;
    }
    return false;
  }

  const FilterNode node_;
  const std::vector<int> keys_;
  const TimeColumns times_;
  RowFates* const fates_;
};

}  // namespace

Result<std::unique_ptr<Transform>> MakeFilterTransform(const FilterNode& node,
                                                       const arrow::Schema& schema,
                                                       RowFates* fates) {
  BANQUET_ASSIGN_OR_RETURN(TimeColumns times, TimeColumns::Find(schema));
  std::vector<int> keys;
  for (const std::string& name : node.key_columns) {
    const int index = schema.GetFieldIndex(name);
    if (index < 0) return Bug("The filter's key column is not in its input: {}", name);
    keys.push_back(index);
  }
  return std::make_unique<FilterTransform>(node, std::move(keys), times, fates);
}

}  // namespace banquet
