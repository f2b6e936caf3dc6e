#pragma once
// Statements of warehouses beside the scan itself: unload its result, ask for a table's last
// change.

#include <cstdint>
#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/sql/dialect.h"
#include "banquet/sql/scan_sql.h"

namespace banquet {

// Where a product itself writes a scan's result.
struct UnloadTarget {
  // A folder of this run alone: "s3://bucket/run", "gs://…", and for Snowflake "azure://…" and
  // "@stage/run".
  std::string folder_url;
  std::string storage_integration;  // Snowflake's; empty: none.
  int64_t file_bytes_max = 0;       // Snowflake's MAX_FILE_SIZE; 0: its default.
};

// Writes ScanSql's rows as Parquet files, timestamps in UTC. Snowflake (COPY INTO) answers with a
// row per file: FILE_NAME, FILE_SIZE, ROW_COUNT; no rows, no file. BigQuery (EXPORT DATA) names the
// files itself, answers nothing, and may write a file without rows. Neither overwrites. Another
// product, and a folder that the product cannot write to, is the user's error.
Result<std::string> UnloadSql(const SqlDialect& dialect, const SqlScan& scan,
                              const UnloadTarget& target);

// One row, one whole number: when the table last changed, nanoseconds since the epoch, roughly. A
// view may be skipped whose number is before its window's start, as Feast's Snowflake engine does
// (feast-compat 7.2). nullopt: not to be told, so the view has to be run (other products, queries).
Result<std::optional<std::string>> LastChangeSql(const SqlDialect& dialect, const DataSource& data,
                                                 const SqlSource& source);

}  // namespace banquet
