#include "banquet/offline/parquet/window_pruning.h"

#include <memory>

#include "parquet/metadata.h"
#include "parquet/schema.h"
#include "parquet/statistics.h"
#include "parquet/types.h"

namespace banquet::parquet_store {
namespace {

// How a physical integer counts time: value * times_us / per_us microseconds.
struct TimeUnit {
  int64_t times_us = 1;
  int64_t per_us = 1;
};

std::optional<TimeUnit> UnitOf(const parquet::ColumnDescriptor& column) {
  const std::shared_ptr<const parquet::LogicalType>& logical = column.logical_type();
  if (logical == nullptr) return std::nullopt;
  if (column.physical_type() == parquet::Type::INT32) {
    constexpr int64_t kDayUs = int64_t{86400} * 1000 * 1000;
    return logical->is_date() ? std::optional(TimeUnit{.times_us = kDayUs}) : std::nullopt;
  }
  if (column.physical_type() != parquet::Type::INT64 || !logical->is_timestamp()) {
    return std::nullopt;
  }
  switch (static_cast<const parquet::TimestampLogicalType&>(*logical).time_unit()) {
    case parquet::LogicalType::TimeUnit::MILLIS:
      return TimeUnit{.times_us = 1000};
    case parquet::LogicalType::TimeUnit::MICROS:
      return TimeUnit{};
    case parquet::LogicalType::TimeUnit::NANOS:
      return TimeUnit{.per_us = 1000};
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> Micros(int64_t value, const TimeUnit& unit) {
  int64_t us = 0;
  if (__builtin_mul_overflow(value, unit.times_us, &us)) return std::nullopt;
  return us / unit.per_us - (us % unit.per_us < 0 ? 1 : 0);
}

template <typename TypedStatistics>
std::optional<TimeBounds> Bounds(const parquet::Statistics& statistics, const TimeUnit& unit) {
  const auto& typed = static_cast<const TypedStatistics&>(statistics);
  const std::optional<int64_t> least = Micros(typed.min(), unit);
  const std::optional<int64_t> greatest = Micros(typed.max(), unit);
  if (!least.has_value() || !greatest.has_value() || *least > *greatest) return std::nullopt;
  return TimeBounds{*least, *greatest};
}

}  // namespace

bool HasTimeBounds(const parquet::ColumnDescriptor& column) { return UnitOf(column).has_value(); }

std::optional<TimeBounds> TimeBoundsOf(const parquet::ColumnChunkMetaData& chunk,
                                       const parquet::ColumnDescriptor& column) {
  const std::optional<TimeUnit> unit = UnitOf(column);
  if (!unit.has_value() || !chunk.is_stats_set()) return std::nullopt;
  const std::shared_ptr<parquet::Statistics> statistics = chunk.statistics();
  if (statistics == nullptr || !statistics->HasMinMax()) return std::nullopt;
  if (column.physical_type() == parquet::Type::INT32) {
    return Bounds<parquet::Int32Statistics>(*statistics, *unit);
  }
  return Bounds<parquet::Int64Statistics>(*statistics, *unit);
}

std::optional<NumberBounds> NumberBoundsOf(const parquet::ColumnChunkMetaData& chunk,
                                           const parquet::ColumnDescriptor& column) {
  const auto& logical = column.logical_type();
  const bool plain =
      logical == nullptr || logical->is_none() ||
      (logical->is_int() && static_cast<const parquet::IntLogicalType&>(*logical).is_signed());
  if (!plain || column.max_repetition_level() > 0 || !chunk.is_stats_set()) return std::nullopt;
  const std::shared_ptr<parquet::Statistics> statistics = chunk.statistics();
  if (statistics == nullptr || !statistics->HasMinMax()) return std::nullopt;
  const bool may_be_null = column.max_definition_level() > 0;
  if (may_be_null && (!statistics->HasNullCount() || statistics->null_count() != 0)) {
    return std::nullopt;
  }
  NumberBounds bounds;
  if (column.physical_type() == parquet::Type::INT32) {
    const auto& typed = static_cast<const parquet::Int32Statistics&>(*statistics);
    bounds = {.least = typed.min(), .greatest = typed.max()};
  } else if (column.physical_type() == parquet::Type::INT64) {
    const auto& typed = static_cast<const parquet::Int64Statistics&>(*statistics);
    bounds = {.least = typed.min(), .greatest = typed.max()};
  } else {
    return std::nullopt;
  }
  return bounds.least <= bounds.greatest ? std::optional(bounds) : std::nullopt;
}

bool Excludes(const TimeWindow& window, const TimeBounds& bounds) {
  return bounds.greatest_us < window.start_us || bounds.least_us > window.end_us;
}

}  // namespace banquet::parquet_store
