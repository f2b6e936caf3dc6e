#pragma once
// Which row groups the window excludes, by what the file says of its event times.

#include <cstdint>
#include <optional>

#include "banquet/model/scan_request.h"
#include "banquet/model/time_window.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
}  // namespace parquet

namespace banquet::parquet_store {

// Whether columns of this kind have statistics that bound times: timestamps and dates kept as
// integers. INT96 has no order, and the statistics of text may be cut off.
bool HasTimeBounds(const parquet::ColumnDescriptor& column);

// Nothing where the chunk has no usable statistics: none written, nulls only, contradictory, or out
// of what int64 microseconds hold.
std::optional<TimeBounds> TimeBoundsOf(const parquet::ColumnChunkMetaData& chunk,
                                       const parquet::ColumnDescriptor& column);

// Of a chunk of signed integers that are neither times nor decimals, and of which none is null.
std::optional<NumberBounds> NumberBoundsOf(const parquet::ColumnChunkMetaData& chunk,
                                           const parquet::ColumnDescriptor& column);

bool Excludes(const TimeWindow& window, const TimeBounds& bounds);

}  // namespace banquet::parquet_store
