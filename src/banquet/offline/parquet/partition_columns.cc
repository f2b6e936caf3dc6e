#include "banquet/offline/parquet/partition_columns.h"

#include <charconv>
#include <chrono>

#include "arrow/array/array_base.h"
#include "arrow/array/util.h"
#include "arrow/scalar.h"
#include "arrow/type.h"

namespace banquet::parquet_store {
namespace {

constexpr int64_t kDayUs = int64_t{86400} * 1000 * 1000;

std::optional<int64_t> WholeInteger(const std::string& text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return number;
}

// Microseconds at which the day YYYY-MM-DD begins.
std::optional<int64_t> StartOfDay(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const std::chrono::year_month_day day{
      std::chrono::year(std::stoi(text.substr(0, 4))),
      std::chrono::month(static_cast<unsigned>(std::stoi(text.substr(5, 2)))),
      std::chrono::day(static_cast<unsigned>(std::stoi(text.substr(8, 2))))};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day).time_since_epoch().count() * kDayUs;
}

}  // namespace

PartitionTypes InferPartitionTypes(const std::vector<SourceFile>& files) {
  struct Seen {
    bool value = false;
    bool text = false;
  };
  std::map<std::string, Seen> seen;
  for (const SourceFile& file : files) {
    for (const PartitionValue& partition : file.partitions) {
      Seen& column = seen[partition.key];
      if (!partition.value.has_value()) continue;
      column.value = true;
      column.text = column.text || !WholeInteger(*partition.value).has_value();
    }
  }
  PartitionTypes types;
  for (const auto& [name, column] : seen) {
    types[name] = column.value && !column.text ? arrow::int64() : arrow::utf8();
  }
  return types;
}

const PartitionValue* FindPartition(const SourceFile& file, const std::string& key) {
  const PartitionValue* found = nullptr;
  for (const PartitionValue& partition : file.partitions) {
    if (partition.key == key) found = &partition;
  }
  return found;
}

Result<std::shared_ptr<arrow::Array>> PartitionArray(const std::optional<std::string>& value,
                                                     const std::shared_ptr<arrow::DataType>& type,
                                                     int64_t rows) {
  if (!value.has_value()) return arrow::MakeArrayOfNull(type, rows);
  if (type->id() == arrow::Type::INT64) {
    const std::optional<int64_t> number = WholeInteger(*value);
    if (!number.has_value()) return Bug("A partition typed as integer is none: {}", *value);
    return arrow::MakeArrayFromScalar(arrow::Int64Scalar(*number), rows);
  }
  return arrow::MakeArrayFromScalar(arrow::StringScalar(*value), rows);
}

bool DayTouchesWindow(const std::optional<std::string>& value, const TimeWindow& window) {
  if (!value.has_value()) return true;
  const std::optional<int64_t> start_us = StartOfDay(*value);
  if (!start_us.has_value()) return true;
  return *start_us <= window.end_us && *start_us + (kDayUs - 1) >= window.start_us;
}

}  // namespace banquet::parquet_store
