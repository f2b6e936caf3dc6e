#pragma once
// One Arrow type per column of a scan, whatever its files store.

#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet::offline {

// The type without encodings that only save space: dictionaries become their values, views and
// extension types what they stand for, at any depth.
std::shared_ptr<arrow::DataType> PlainTypeOf(const std::shared_ptr<arrow::DataType>& type);

// The type that holds the values of both plain types, or nullptr when values would change their
// meaning:
// - integers: the narrowest that holds both (uint64 with a signed one: none); floats: the wider;
// - text and bytes: the large one of two widths; decimals of one scale: the greater precision;
// - timestamps: the finer unit; zones that differ become UTC, and none counts as UTC;
// - a column of type null (a file with nulls only): the other type;
// - lists and structs of the same fields: by their children; maps and the rest: equal ones only.
std::shared_ptr<arrow::DataType> UnifiedType(const std::shared_ptr<arrow::DataType>& a,
                                             const std::shared_ptr<arrow::DataType>& b);

// The array in the type that PlainTypeOf and UnifiedType gave for its own. A timestamp that the
// finer unit cannot hold is a data error.
Result<std::shared_ptr<arrow::Array>> ConvertArray(const std::shared_ptr<arrow::Array>& array,
                                                   const std::shared_ptr<arrow::DataType>& type);

}  // namespace banquet::offline
