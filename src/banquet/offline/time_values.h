#pragma once
// Time columns in the one form that the reserved columns have (model/scan_request.h).

#include <cstdint>
#include <memory>
#include <string>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet::offline {

// Where values come from, for messages.
struct ValueOrigin {
  std::string column;
  std::string place;      // "file x.parquet", "a row of the query": what the row counts in.
  int64_t first_row = 0;  // Of the values, within the place.
};

// Times of one batch. The years are 0001 to 9999.
struct TimeValues {
  std::shared_ptr<arrow::Array> us;  // timestamp[us, UTC], floored; nulls are kept.
  std::shared_ptr<arrow::Array>
      nanos;  // uint16, no nulls: what flooring cut off. Null: not asked for.
};

// Whether a column of this type can be read as times: timestamps of every unit and zone (none
// counts as UTC), dates (midnight UTC), and text in ISO 8601. Else a data error that says so.
Status CheckTimeType(const arrow::DataType& type, const ValueOrigin& origin);

// Whether values of this type may be finer than microseconds.
bool MayHaveNanos(const arrow::DataType& type);

// A type that CheckTimeType let pass. A value that is no time, or out of the years, is a data error
// that names value, column, place and row.
Result<TimeValues> NormalizeTimes(const std::shared_ptr<arrow::Array>& values, bool with_nanos,
                                  const ValueOrigin& origin);

// INT96 times, read once as microseconds and once as nanoseconds. The latter wrap outside the years
// 1677 to 2262, but their difference to the former is exact in every year.
Result<TimeValues> NormalizeInt96(const std::shared_ptr<arrow::Array>& micros,
                                  const arrow::Array& nanos, bool with_nanos,
                                  const ValueOrigin& origin);

}  // namespace banquet::offline
