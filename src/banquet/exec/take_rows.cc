#include "banquet/exec/take_rows.h"

#include "arrow/array/builder_primitive.h"
#include "arrow/compute/api_vector.h"
#include "arrow/datum.h"
#include "arrow/record_batch.h"

namespace banquet {

Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::vector<uint32_t>& indices) {
  arrow::UInt32Builder builder;
  BANQUET_RETURN_NOT_OK(builder.AppendValues(indices));
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, builder.Finish());
  BANQUET_ASSIGN_OR_RETURN(arrow::Datum taken,
                           arrow::compute::Take(arrow::Datum(rows), arrow::Datum(array),
                                                arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

}  // namespace banquet
