#include "banquet/offline/time_values.h"

#include <algorithm>
#include <utility>

#include "arrow/array/array_binary.h"
#include "arrow/array/array_primitive.h"
#include "arrow/array/data.h"
#include "arrow/array/util.h"
#include "arrow/buffer.h"
#include "arrow/compute/cast.h"
#include "arrow/type.h"
#include "arrow/util/bitmap_ops.h"
#include "arrow/util/checked_cast.h"
#include "banquet/base/time_text.h"
#include "banquet/offline/column_types.h"

namespace banquet::offline {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

constexpr int64_t kEarliestUs = -62135596800000000;  // 0001-01-01T00:00:00Z
constexpr int64_t kLatestUs = 253402300799999999;    // 9999-12-31T23:59:59.999999Z
constexpr int64_t kSecondUs = 1000 * 1000;
constexpr int64_t kDayUs = 86400 * kSecondUs;

std::shared_ptr<arrow::DataType> NormalizedType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

template <typename T>
T* MutableValues(const std::shared_ptr<arrow::Buffer>& buffer) {
  return reinterpret_cast<T*>(buffer->mutable_data());
}

Result<std::shared_ptr<arrow::Buffer>> Room(int64_t bytes) {
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(bytes));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

// The validity of an array as a bitmap that begins at bit 0, or null when there are no nulls.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array) {
  if (array.null_count() == 0 || array.null_bitmap() == nullptr) return nullptr;
  return arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                     array.offset(), array.length());
}

std::shared_ptr<arrow::Array> MakeFlat(std::shared_ptr<arrow::DataType> type, int64_t rows,
                                       std::shared_ptr<arrow::Buffer> validity,
                                       std::shared_ptr<arrow::Buffer> values) {
  return arrow::MakeArray(
      arrow::ArrayData::Make(std::move(type), rows, {std::move(validity), std::move(values)}));
}

Result<std::shared_ptr<arrow::Array>> ZeroNanos(int64_t rows) {
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> nanos, Room(rows * sizeof(uint16_t)));
  std::fill_n(MutableValues<uint16_t>(nanos), rows, uint16_t{0});
  return MakeFlat(arrow::uint16(), rows, nullptr, std::move(nanos));
}

Status OutOfYears(const ValueOrigin& origin, int64_t row) {
  return DataError("A time lies outside the years 0001 to 9999: column {}, {}, row {}",
                   origin.column, origin.place, origin.first_row + row + 1);
}

// Whether all valid microseconds lie within the years. The bounds are found first over all slots,
// nulls included, since that needs no branch per row.
Status CheckYears(const arrow::Array& array, const int64_t* us, const ValueOrigin& origin) {
  int64_t least = kLatestUs;
  int64_t greatest = kEarliestUs;
  for (int64_t row = 0; row < array.length(); ++row) {
    least = std::min(least, us[row]);
    greatest = std::max(greatest, us[row]);
  }
  if (least >= kEarliestUs && greatest <= kLatestUs) return Status::OK();
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsValid(row) && (us[row] < kEarliestUs || us[row] > kLatestUs)) {
      return OutOfYears(origin, row);
    }
  }
  return Status::OK();
}

// ns - us * 1000, where ns may have wrapped around. The slots of nulls may hold anything.
uint16_t NanosBehind(int64_t ns, int64_t us) {
  const uint64_t rest = static_cast<uint64_t>(ns) - static_cast<uint64_t>(us) * uint64_t{1000};
  return rest < 1000 ? static_cast<uint16_t>(rest) : uint16_t{0};
}

Result<TimeValues> FromMicros(const arrow::Array& array, const ValueOrigin& origin) {
  const auto& typed = checked_cast<const arrow::TimestampArray&>(array);
  BANQUET_RETURN_NOT_OK(CheckYears(array, typed.raw_values(), origin));
  std::shared_ptr<arrow::ArrayData> data = array.data()->Copy();
  data->type = NormalizedType();
  return TimeValues{arrow::MakeArray(data), nullptr};
}

Result<TimeValues> FromNanos(const arrow::Array& array, bool with_nanos,
                             const ValueOrigin& origin) {
  const int64_t* ns = checked_cast<const arrow::TimestampArray&>(array).raw_values();
  const int64_t rows = array.length();
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> us, Room(rows * sizeof(int64_t)));
  int64_t* us_values = MutableValues<int64_t>(us);
  for (int64_t row = 0; row < rows; ++row) {
    us_values[row] = ns[row] / 1000 - (ns[row] % 1000 < 0 ? 1 : 0);
  }
  BANQUET_RETURN_NOT_OK(CheckYears(array, us_values, origin));
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, ValidityOf(array));
  TimeValues times;
  if (with_nanos) {
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> nanos, Room(rows * sizeof(uint16_t)));
    uint16_t* nanos_values = MutableValues<uint16_t>(nanos);
    for (int64_t row = 0; row < rows; ++row) {
      nanos_values[row] = NanosBehind(ns[row], us_values[row]);
    }
    times.nanos = MakeFlat(arrow::uint16(), rows, nullptr, std::move(nanos));
  }
  times.us = MakeFlat(NormalizedType(), rows, std::move(validity), std::move(us));
  return times;
}

// Integers that count a unit of `unit_us` microseconds.
template <typename Integer>
Result<TimeValues> FromUnits(const arrow::Array& array, const Integer* units, int64_t unit_us,
                             const ValueOrigin& origin) {
  const int64_t rows = array.length();
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> us, Room(rows * sizeof(int64_t)));
  int64_t* us_values = MutableValues<int64_t>(us);
  for (int64_t row = 0; row < rows; ++row) {
    if (__builtin_mul_overflow(int64_t{units[row]}, unit_us, &us_values[row])) {
      if (array.IsValid(row)) return OutOfYears(origin, row);
      us_values[row] = 0;
    }
  }
  BANQUET_RETURN_NOT_OK(CheckYears(array, us_values, origin));
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, ValidityOf(array));
  return TimeValues{MakeFlat(NormalizedType(), rows, std::move(validity), std::move(us)), nullptr};
}

template <typename TextArray>
Result<TimeValues> FromText(const arrow::Array& array, bool with_nanos, const ValueOrigin& origin) {
  const auto& text = checked_cast<const TextArray&>(array);
  const int64_t rows = array.length();
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> us, Room(rows * sizeof(int64_t)));
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> nanos, Room(rows * sizeof(uint16_t)));
  int64_t* us_values = MutableValues<int64_t>(us);
  uint16_t* nanos_values = MutableValues<uint16_t>(nanos);
  for (int64_t row = 0; row < rows; ++row) {
    us_values[row] = 0;
    nanos_values[row] = 0;
    if (text.IsNull(row)) continue;
    const Result<ParsedInstant> parsed = ParseColumnInstant(text.GetView(row));
    if (!parsed.ok()) {
      return DataError("A text is no time ({}): '{}', column {}, {}, row {}",
                       parsed.status().message(), text.GetView(row), origin.column, origin.place,
                       origin.first_row + row + 1);
    }
    us_values[row] = parsed->us;
    nanos_values[row] = static_cast<uint16_t>(parsed->nanos);
  }
  BANQUET_RETURN_NOT_OK(CheckYears(array, us_values, origin));
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, ValidityOf(array));
  TimeValues times;
  times.us = MakeFlat(NormalizedType(), rows, std::move(validity), std::move(us));
  if (with_nanos) times.nanos = MakeFlat(arrow::uint16(), rows, nullptr, std::move(nanos));
  return times;
}

Result<TimeValues> FromTimestamps(const arrow::Array& array, bool with_nanos,
                                  const ValueOrigin& origin) {
  const auto& typed = checked_cast<const arrow::TimestampArray&>(array);
  switch (checked_cast<const arrow::TimestampType&>(*array.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return FromUnits(array, typed.raw_values(), kSecondUs, origin);
    case arrow::TimeUnit::MILLI:
      return FromUnits(array, typed.raw_values(), 1000, origin);
    case arrow::TimeUnit::MICRO:
      return FromMicros(array, origin);
    case arrow::TimeUnit::NANO:
      return FromNanos(array, with_nanos, origin);
  }
  return Bug("A timestamp has an unknown unit: {}", array.type()->ToString());
}

Result<TimeValues> FromPlain(const arrow::Array& array, bool with_nanos,
                             const ValueOrigin& origin) {
  switch (array.type_id()) {
    case Type::TIMESTAMP:
      return FromTimestamps(array, with_nanos, origin);
    case Type::DATE32:
      return FromUnits(array, checked_cast<const arrow::Date32Array&>(array).raw_values(), kDayUs,
                       origin);
    case Type::DATE64:
      return FromUnits(array, checked_cast<const arrow::Date64Array&>(array).raw_values(), 1000,
                       origin);
    case Type::STRING:
      return FromText<arrow::StringArray>(array, with_nanos, origin);
    case Type::LARGE_STRING:
      return FromText<arrow::LargeStringArray>(array, with_nanos, origin);
    case Type::NA: {
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> us,
                               arrow::MakeArrayOfNull(NormalizedType(), array.length()));
      return TimeValues{std::move(us), nullptr};
    }
    default:
      return Bug("A time column has an unchecked type: {}", array.type()->ToString());
  }
}

}  // namespace

Status CheckTimeType(const arrow::DataType& type, const ValueOrigin& origin) {
  switch (type.id()) {
    case Type::TIMESTAMP:
    case Type::DATE32:
    case Type::DATE64:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::NA:
      return Status::OK();
    default:
      return DataError(
          "A time column has a type that is no time; timestamp, date and ISO 8601 text can be "
          "read: column {} is {}, {}",
          origin.column, type.ToString(), origin.place);
  }
}

bool MayHaveNanos(const arrow::DataType& type) {
  if (type.id() == Type::STRING || type.id() == Type::LARGE_STRING) return true;
  return type.id() == Type::TIMESTAMP &&
         checked_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::NANO;
}

Result<TimeValues> NormalizeTimes(const std::shared_ptr<arrow::Array>& values, bool with_nanos,
                                  const ValueOrigin& origin) {
  BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> plain,
                           ConvertArray(values, PlainTypeOf(values->type())));
  BANQUET_ASSIGN_OR_RETURN(TimeValues times, FromPlain(*plain, with_nanos, origin));
  if (with_nanos && times.nanos == nullptr) {
    BANQUET_ASSIGN_OR_RETURN(times.nanos, ZeroNanos(values->length()));
  }
  return times;
}

Result<TimeValues> NormalizeInt96(const std::shared_ptr<arrow::Array>& micros,
                                  const arrow::Array& nanos, bool with_nanos,
                                  const ValueOrigin& origin) {
  BANQUET_ASSIGN_OR_RETURN(TimeValues times, FromMicros(*micros, origin));
  if (!with_nanos) return times;
  const int64_t rows = micros->length();
  const int64_t* us = checked_cast<const arrow::TimestampArray&>(*micros).raw_values();
  const int64_t* ns = checked_cast<const arrow::TimestampArray&>(nanos).raw_values();
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> rest, Room(rows * sizeof(uint16_t)));
  uint16_t* rest_values = MutableValues<uint16_t>(rest);
  for (int64_t row = 0; row < rows; ++row) {
    rest_values[row] = NanosBehind(ns[row], us[row]);
  }
  times.nanos = MakeFlat(arrow::uint16(), rows, nullptr, std::move(rest));
  return times;
}

}  // namespace banquet::offline
