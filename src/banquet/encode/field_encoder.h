#pragma once
// A whole column of one feature at once.

#include <cstdint>
#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/encode/value_writer.h"
#include "banquet/model/field.h"
#include "banquet/model/write_needs.h"

namespace banquet {

// Turns Arrow columns of one type into the values of one feature. Const: safe to share between
// threads.
class FieldEncoder {
 public:
  virtual ~FieldEncoder() = default;
  // A type that can never become the feature's is a data error that tells both types and what would
  // work.
  static Result<std::unique_ptr<const FieldEncoder>> Make(
      const Field& feature, const std::shared_ptr<arrow::DataType>& type, EncodeNeeds needs);
  // Appends one value for every cell, and text and number if they are needed. On failure
  // *failed_row is the row whose value does not convert, -1 when it is none's fault.
  virtual Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                        int64_t* failed_row) const = 0;
};

// Null when the plain type `type` can never become `scalar`.
std::unique_ptr<const FieldEncoder> MakeScalarFieldEncoder(ValueType scalar, int field,
                                                           const arrow::DataType& type,
                                                           EncodeNeeds needs);

}  // namespace banquet
