#include "banquet/exec/time_columns.h"

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"
#include "banquet/model/scan_request.h"

namespace banquet {

bool TimeView::IsNull(int64_t row) const {
  return us == nullptr || (column != nullptr && column->IsNull(row));
}

Result<TimeColumns> TimeColumns::Find(const arrow::Schema& schema) {
  TimeColumns columns;
  columns.event_ = schema.GetFieldIndex(kEventTimeColumn);
  columns.event_nanos_ = schema.GetFieldIndex(kEventNanosColumn);
  columns.created_ = schema.GetFieldIndex(kCreatedTimeColumn);
  columns.created_nanos_ = schema.GetFieldIndex(kCreatedNanosColumn);
  if (columns.event_ < 0) return Bug("The input lacks its event time column: {}", kEventTimeColumn);
  return columns;
}

TimeView TimeColumns::View(const arrow::RecordBatch& batch, int time, int nanos) {
  TimeView view;
  if (time < 0) return view;
  const arrow::Array& column = *batch.column(time);
  view.us = arrow::internal::checked_cast<const arrow::TimestampArray&>(column).raw_values();
  if (column.null_count() > 0) view.column = &column;
  if (nanos >= 0) {
    view.nanos =
        arrow::internal::checked_cast<const arrow::UInt16Array&>(*batch.column(nanos)).raw_values();
  }
  return view;
}

}  // namespace banquet
