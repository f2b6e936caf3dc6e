#pragma once
// A scan as one SELECT, in the words of any dialect: pure functions, nothing is connected to.
//
// Who needs what of a source's rows, and how rows that are none stay countable (RowFates):
//  - Rows outside the window never come; they are part of no count. Where a partition column prunes
//    (SqlDialect::filters_partition), neither do rows without a time that lie in no such partition.
//  - Rows with a null event time or a null key either come all, beside the winners
//    (NullRows::kKeep), so that the filter behind the scan counts them or fails on them, as with
//    files; or none comes (kDrop: an unload, a table with too many of them) and CountSql counts.
//  - Full ties have an order only where rows have a position (SqlSource::rows_have_position); the
//    other products may name any row of a tie. NewestRows::kWithTies lets all rows of a tie come,
//    for a contest behind the scan that counts them.

#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/model/scan_request.h"
#include "banquet/sql/dialect.h"
#include "banquet/sql/source_relation.h"

namespace banquet {

enum class NewestRows {
  kAll,       // Every row of the window.
  kOne,       // One per key: greatest event time, greatest created time (null lowest), position.
  kWithTies,  // All rows of a key that are greatest in both times. Positions are not looked at.
};

enum class NullRows { kKeep, kDrop };

// kUnloaded: timestamps as UTC that the product's own Parquet can hold.
enum class TimeForm { kAsStored, kUnloaded };

// A column of the result: a source column, and what the result calls it.
struct SqlColumn {
  std::string source;
  std::string name;
};

struct SqlScan {
  ScanRequest request;
  SqlSource source;
  std::vector<SqlColumn> columns;  // Empty: the request's, under their own names.
  std::vector<std::string> keys;   // Source columns. Empty: all rows have one key (entityless).
  NewestRows newest = NewestRows::kAll;
  NullRows null_rows = NullRows::kKeep;
};

// The result has the scan's columns in order, then kEventTimeColumn, then, where the source has a
// created time, kCreatedTimeColumn: times as the source holds them (naive: UTC; SQLite: text).
// Take them by position: Redshift, and Snowflake by a setting, change the case of names. Without a
// semicolon, so that a driver may wrap it. Names that SQL cannot say, or two columns of one name,
// are the user's error; a source without an event time is a bug.
Result<std::string> ScanSql(const SqlDialect& dialect, const SqlScan& scan,
                            TimeForm form = TimeForm::kAsStored);

// One row, three whole numbers: "row_count" in the window or without a time, of these "null_time",
// and "null_key" of those with a time. Reads keys and event time only.
Result<std::string> CountSql(const SqlDialect& dialect, const SqlScan& scan);

}  // namespace banquet
