#pragma once
// Columns that key=value folders make.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/model/time_window.h"
#include "banquet/offline/parquet/source_files.h"

namespace banquet::parquet_store {

// Name and type: int64 where all values that are not null are integers of 64 bits, else utf8 (so
// dates stay text).
using PartitionTypes = std::map<std::string, std::shared_ptr<arrow::DataType>>;
PartitionTypes InferPartitionTypes(const std::vector<SourceFile>& files);

// What a file's folders say of a column: nullptr when no folder of its path has that key. The
// innermost of equal keys counts.
const PartitionValue* FindPartition(const SourceFile& file, const std::string& key);

// A column that holds the one value in all rows.
Result<std::shared_ptr<arrow::Array>> PartitionArray(const std::optional<std::string>& value,
                                                     const std::shared_ptr<arrow::DataType>& type,
                                                     int64_t rows);

// Whether the window has an instant of the day (UTC) that the value names as YYYY-MM-DD. A value
// that names no day may hold anything: true.
bool DayTouchesWindow(const std::optional<std::string>& value, const TimeWindow& window);

}  // namespace banquet::parquet_store
