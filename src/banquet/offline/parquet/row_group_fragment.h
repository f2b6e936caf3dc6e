#pragma once
// A row group of a file as a fragment of a scan.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/offline/offline_store.h"
#include "banquet/offline/parquet/parquet_file.h"

namespace banquet::parquet_store {

// A row group is decoded a batch at a time, which bounds a worker's memory: so many rows, fewer
// where they are wide once decoded, and few where the footer does not say how long their texts are.
inline constexpr int64_t kBatchRowsMax = 64 * 1024;
inline constexpr int64_t kBatchBytesMax = int64_t{8} << 20;
inline constexpr int64_t kUnknownBatchRowsMax = 4 * 1024;

// Where a file has one column of the scan.
struct ColumnOrigin {
  int projected = -1;  // Place in FileScan::projection; -1: a folder's name says it.
  std::optional<std::string> partition;   // The folder's value (none: null), where projected is -1.
  std::shared_ptr<arrow::DataType> type;  // Of the column in the scan; of a partition as such.
  std::string name;                       // In the source.
  bool is_int96 = false;
};

// How one file gives the columns of a scan. Immutable, shared by the file's fragments.
struct FileScan {
  std::shared_ptr<const ParquetFile> file;
  std::shared_ptr<arrow::Schema> schema;  // Of the scan.
  std::vector<int> projection;            // Indices into file->columns().
  std::vector<ColumnOrigin> columns;      // The requested ones, in order.
  ColumnOrigin event;
  bool event_nanos = false;
  std::optional<ColumnOrigin> created;
  bool created_nanos = false;
};

struct RowGroupPlace {
  int row_group = 0;
  int64_t first_row = 0;  // In the scan's input order.
  int64_t first_row_in_file = 0;
};

std::unique_ptr<ScanFragment> MakeRowGroupFragment(std::shared_ptr<const FileScan> scan,
                                                   const RowGroupPlace& place);

}  // namespace banquet::parquet_store
