#pragma once
// What the plan asks of an offline store, and what the store says of its answer.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "banquet/model/data_source.h"
#include "banquet/model/time_window.h"

namespace banquet {

// Reserved columns that every scan puts behind the requested ones.
// Event time: timestamp[us, UTC], floored, null where the source has none; nanos (uint16, 0..999)
// is what flooring cut off, and only there if some file of the source keeps nanoseconds. Created
// time: the same, only if the source has one.
inline constexpr char kEventTimeColumn[] = "__event_time";
inline constexpr char kEventNanosColumn[] = "__event_nanos";
inline constexpr char kCreatedTimeColumn[] = "__created_time";
inline constexpr char kCreatedNanosColumn[] = "__created_nanos";

// Rows of a scan, those that are pruned among them: positions of rows have 48 bits.
inline constexpr int64_t kScanRowsMax = int64_t{1} << 48;

struct ScanRequest {
  DataSource source;
  std::vector<std::string>
      columns;  // Source columns to read, each once, in output order (before field mapping); for a
                // TransformNode none, which means all of them.
  TimeWindow window;  // May be used to prune; rows outside may still come.
  // Source columns of the join keys, where only the newest row of each key is wanted; none of an
  // entityless view. A store may leave out rows that a newer one of their key beats, but none
  // without a time or a key, and no full tie. nullopt: every row is wanted.
  std::optional<std::vector<std::string>> newest_of;
  // Columns of text and bytes that the source keeps as dictionaries may come as such:
  // dictionary(int32, utf8 or binary).
  bool keep_dictionaries = false;
};

// Least and greatest event time of some rows, floored to microseconds.
struct TimeBounds {
  int64_t least_us = 0;
  int64_t greatest_us = 0;
};

// Least and greatest value of a column of whole numbers, of rows among which no value is null.
struct NumberBounds {
  int64_t least = 0;
  int64_t greatest = 0;
};

// What a store can do itself, so that the plan need not.
struct ScanCapabilities {
  bool filters_window = false;  // Gives only rows inside the window.
  bool latest_per_key = false;
};

// For `banquet plan` and the report.
struct ScanSummary {
  struct File {
    std::string path;
    int64_t rows = 0;
    int row_groups = 0;
    int row_groups_pruned = 0;
  };
  std::vector<File> files;
  int64_t rows = 0;         // Of all files found.
  int64_t rows_pruned = 0;  // Of row groups and files that the window excludes; never read.
  int files_pruned = 0;  // By the partition column; not in `files`, rows unknown and not counted.
  std::vector<std::string> pushed_down;  // "columns: a, b", "row groups by event_timestamp", …
};

}  // namespace banquet
