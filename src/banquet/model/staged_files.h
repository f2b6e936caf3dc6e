#pragma once
// Rows that wait in Parquet files between their source and the online stores.

#include <cstdint>
#include <string>
#include <vector>

#include "banquet/model/time_window.h"

namespace banquet {

// Columns of staged files beside join keys and features: timestamp[us, UTC].
inline constexpr char kStagedEventTime[] = "__event_time";
inline constexpr char kStagedCreatedTime[] = "__created_time";  // Where the source has one.

struct StagedFile {
  std::string name;  // In the folder.
  int64_t rows = 0;
  int64_t bytes = 0;
  bool operator==(const StagedFile&) const = default;
};

// One view of a manifest.
struct StagedView {
  std::string view;          // As in the registry.
  std::string version;       // "vN" where a version was asked for; else empty.
  std::string storage_name;  // Its name in online storage.
  bool operator==(const StagedView&) const = default;
};

// What a staging folder holds: the newest row of each entity, for views of one source. Written
// last, so that a folder that has it is whole.
struct StagedManifest {
  std::string run_id;
  std::string project;
  TimeWindow window;
  bool records_interval = true;  // Loading it fulfils the window.
  bool has_created_time = false;
  std::vector<StagedView> views;
  std::vector<StagedFile> files;

  int64_t rows() const {
    int64_t sum = 0;
    for (const StagedFile& file : files) sum += file.rows;
    return sum;
  }
  bool operator==(const StagedManifest&) const = default;
};

}  // namespace banquet
