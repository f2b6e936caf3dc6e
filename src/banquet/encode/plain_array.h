#pragma once
// Arrow columns in their plainest form, so that encoders know fewer types.

#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet {

// The type without extension types, dictionaries, views and run-ends, at any depth: those become
// their storage, value or ordinary type. Types that need nothing are returned as they are (the same
// object).
std::shared_ptr<arrow::DataType> PlainTypeOf(const std::shared_ptr<arrow::DataType>& type);

// The array as an array of PlainTypeOf(its type). Buffers are shared where they can be.
Result<std::shared_ptr<arrow::Array>> PlainArrayOf(const std::shared_ptr<arrow::Array>& array);

}  // namespace banquet
