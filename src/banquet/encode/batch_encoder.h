#pragma once
// Arrow in, bytes out: the border that every row crosses once.

#include <memory>
#include <span>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"
#include "banquet/model/write_needs.h"

namespace banquet {

// Encodes batches of one schema for the views of a task group. Const after Make: safe to share
// between threads.
class BatchEncoder {
 public:
  virtual ~BatchEncoder() = default;
  // `views` share join keys and entity_key_version. `schema` has their join keys and features by
  // (mapped) name and the reserved time columns of model/scan_request.h. A feature whose Arrow type
  // can never become its Feast type is a data error here, before any row is read; names the column,
  // both types and what would work.
  static Result<std::unique_ptr<BatchEncoder>> Make(std::span<const ViewColumns> views,
                                                    const arrow::Schema& schema, EncodeNeeds needs);
  // All rows of the batch. Null event times and null join keys must have been filtered. A value
  // that cannot be encoded (overflow, text that is no number) is a data error naming column, value
  // and entity row.
  virtual Result<std::shared_ptr<const EncodedBatch>> Encode(
      const arrow::RecordBatch& batch) const = 0;
};

}  // namespace banquet
