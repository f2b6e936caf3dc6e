#pragma once
// What a driver's columns are to us: plain Arrow types, as those of files.

#include <memory>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/sql/dialect.h"

namespace banquet::adbc {

// The plain type of a column (offline/column_types.h), and beyond that:
// - Postgres' numeric(p, s), which comes as text, is a decimal of that scale; numeric alone, whose
//   scale may differ from row to row, stays text;
// - a single UUID is text, as Python writes it; JSON is its text.
// A type that the driver hands on as bytes of its own (a range, inet, …) is the user's
// error; so is Postgres' money, which it takes for a whole number, and a row.
Result<std::shared_ptr<arrow::DataType>> ColumnTypeOf(const arrow::Field& field,
                                                      const SqlDialect& dialect);

// Whether the database holds it as text, which has a collation.
bool IsText(const arrow::Field& field);

// The array in the type that ColumnTypeOf gave for its column. A numeric(p, s) that is NaN, and a
// timestamp that is infinite, is a data error that names the column.
Result<std::shared_ptr<arrow::Array>> ColumnArrayOf(const std::shared_ptr<arrow::Array>& array,
                                                    const arrow::Field& column);

}  // namespace banquet::adbc
