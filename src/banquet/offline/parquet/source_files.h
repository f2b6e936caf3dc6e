#pragma once
// From a file source's path to the files behind it, in input order.

#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/model/data_source.h"
#include "banquet/offline/parquet/directory.h"

namespace banquet::parquet_store {

// What one key=value folder says; both sides URL-decoded, null for __HIVE_DEFAULT_PARTITION__.
struct PartitionValue {
  std::string key;
  std::optional<std::string> value;
};

struct SourceFile {
  std::string path;
  std::vector<PartitionValue> partitions;  // Outermost folder first.
};

// Where a source's files are: an absolute path of this machine, or the URI of an object store as it
// is written. A file: URI is decoded; relative paths count from the repository (feast-compat 2.3).
Result<std::string> ResolvedPath(const DataSource& source, const std::string& repo_path);

// The files of a source whose path was resolved, sorted by path. It names
// - a file: read whatever its name is;
// - a folder: its *.parquet, *.parq and *.pq files, and extensionless part-* files that begin with
//   Parquet's magic bytes, at any depth. Names that begin with '_' or '.' are no data. Any other
//   file is a data error that names it: what is left out should be known to be left out;
// - a glob (*, ?, [..], and ** for any folders): the files it matches, whatever their names, and
//   the folders it matches as above. A wildcard matches a leading '_' or '.' only where the pattern
//   writes it. A path that exists as it is written is no glob.
// Folders named key=value below the folder (of a glob: below its part without wildcards) are
// partitions.
// A path in a table format that has its own list of files (Delta Lake, Iceberg, Hudi), at the path,
// above or below it, is refused by name: its folder also holds files whose rows were deleted.
Result<std::vector<SourceFile>> FindSourceFiles(const DataSource& source, const std::string& path,
                                                Directory* directory);

}  // namespace banquet::parquet_store
