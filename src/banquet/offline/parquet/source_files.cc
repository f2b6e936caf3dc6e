#include "banquet/offline/parquet/source_files.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "banquet/base/percent_text.h"
#include "banquet/client/objects/object_store.h"

namespace banquet::parquet_store {
namespace {

constexpr size_t kFolderDepthMax = 64;
constexpr std::string_view kNullPartition = "__HIVE_DEFAULT_PARTITION__";

std::vector<std::string> Components(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) components.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return components;
}

bool IsHidden(std::string_view name) { return name.starts_with('_') || name.starts_with('.'); }

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

bool Matches(const std::string& pattern, const std::string& name) {
  if (IsHidden(name) && pattern.front() != name.front()) return false;
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

bool HasParquetName(const std::string& name) {
  return name.ends_with(".parquet") || name.ends_with(".parq") || name.ends_with(".pq");
}

// The table format whose folder this is, or "".
Result<std::string_view> TableFormatOf(Directory* directory, const std::string& folder) {
  BANQUET_ASSIGN_OR_RETURN(const PathState delta, directory->Look(JoinPath(folder, "_delta_log")));
  if (delta.is_folder) return "Delta Lake";
  BANQUET_ASSIGN_OR_RETURN(const PathState hudi, directory->Look(JoinPath(folder, ".hoodie")));
  if (hudi.is_folder) return "Hudi";
  const std::string metadata = JoinPath(folder, "metadata");
  BANQUET_ASSIGN_OR_RETURN(const PathState iceberg, directory->Look(metadata));
  if (!iceberg.is_folder) return "";
  const Result<std::vector<std::string>> names = directory->SortedNames(metadata);
  if (names.ok() && std::ranges::any_of(*names, [](const std::string& name) {
        return name.ends_with(".metadata.json");
      })) {
    return "Iceberg";
  }
  return "";
}

Status RefuseTableFormat(Directory* directory, const std::string& folder) {
  BANQUET_ASSIGN_OR_RETURN(const std::string_view format, TableFormatOf(directory, folder));
  if (format.empty()) return Status::OK();
  return UserError(
      "{} table: not supported by this version, which reads plain Parquet files; export the "
      "table to Parquet and point the data source there: {}",
      format, folder);
}

Status RefuseTableFormatAbove(Directory* directory, const std::string& path) {
  for (auto folder = directory->Parent(path); folder.has_value();
       folder = directory->Parent(*folder)) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormat(directory, *folder));
  }
  return Status::OK();
}

// Collects files below folders and globs. Used by one thread, for one source.
class Collector {
 public:
  explicit Collector(Directory* directory) : directory_(directory) {}

  // All data files at and below a folder.
  Status AddFolder(const std::string& folder) {
    BANQUET_RETURN_NOT_OK(directory_->Expect(folder));
    BANQUET_ASSIGN_OR_RETURN(const Descent descent, Descend(folder));
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_->SortedNames(folder));
    for (const std::string& name : names) {
      if (IsHidden(name)) continue;
      const std::string path = JoinPath(folder, name);
      BANQUET_ASSIGN_OR_RETURN(const PathState state, directory_->Look(path));
      if (state.is_folder) {
        BANQUET_RETURN_NOT_OK(AddFolder(path));
        continue;
      }
      BANQUET_ASSIGN_OR_RETURN(const bool is_data, IsData(name, path, state));
      (is_data ? paths_ : foreign_).push_back(path);
    }
    return Status::OK();
  }

  // What pattern[next..] matches below a folder.
  Status AddMatches(const std::string& folder, const std::vector<std::string>& pattern,
                    size_t next) {
    const std::string& part = pattern[next];
    const bool last = next + 1 == pattern.size();
    BANQUET_ASSIGN_OR_RETURN(const Descent descent, Descend(folder));
    if (!HasWildcard(part)) return AddMatch(JoinPath(folder, part), pattern, next);
    if (part == "**" && last) return AddFolder(folder);
    if (part == "**") BANQUET_RETURN_NOT_OK(AddMatches(folder, pattern, next + 1));
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_->SortedNames(folder));
    for (const std::string& name : names) {
      const std::string path = JoinPath(folder, name);
      if (part == "**") {
        BANQUET_ASSIGN_OR_RETURN(const PathState state, directory_->Look(path));
        if (!IsHidden(name) && state.is_folder) {
          BANQUET_RETURN_NOT_OK(AddMatches(path, pattern, next));
        }
      } else if (Matches(part, name)) {
        BANQUET_RETURN_NOT_OK(AddMatch(path, pattern, next));
      }
    }
    return Status::OK();
  }

  Result<std::vector<std::string>> Finish() {
    if (!foreign_.empty()) {
      return DataError(
          "The data source's folder holds a file that is not Parquet; move it away, or begin its "
          "name with '_' or '.': {}",
          *std::ranges::min_element(foreign_));
    }
    std::ranges::sort(paths_);
    paths_.erase(std::unique(paths_.begin(), paths_.end()), paths_.end());
    return std::move(paths_);
  }

 private:
  // A folder being visited.
  struct Visit {
    std::string folder;
    std::string id;
  };
  // Leaves a folder when it ends.
  struct Leave {
    void operator()(std::vector<Visit>* visits) const { visits->pop_back(); }
  };
  using Descent = std::unique_ptr<std::vector<Visit>, Leave>;

  // "**" visits a folder again without going down, which is no circle.
  Result<Descent> Descend(const std::string& folder) {
    BANQUET_ASSIGN_OR_RETURN(const PathState state, directory_->Look(folder));
    const bool circle = std::ranges::any_of(visits_, [&](const Visit& visit) {
      return visit.id == state.id && visit.folder != folder;
    });
    if (circle || visits_.size() >= kFolderDepthMax) {
      return DataError("The data source's folders lie too deep or in a circle of links: {}",
                       folder);
    }
    BANQUET_RETURN_NOT_OK(RefuseTableFormat(directory_, folder));
    visits_.push_back({folder, state.id});
    return Descent(&visits_);
  }

  Result<bool> IsData(const std::string& name, const std::string& path, const PathState& state) {
    if (!state.is_file) return false;
    if (HasParquetName(name)) return true;
    if (!name.starts_with("part-") || name.find('.') != std::string::npos) return false;
    return directory_->BeginsWithParquetMagic(path);
  }

  Status AddMatch(const std::string& path, const std::vector<std::string>& pattern, size_t next) {
    BANQUET_ASSIGN_OR_RETURN(const PathState state, directory_->Look(path));
    if (next + 1 < pattern.size()) {
      return state.is_folder ? AddMatches(path, pattern, next + 1) : Status::OK();
    }
    if (state.is_folder) return AddFolder(path);
    if (state.is_file) paths_.push_back(path);
    return Status::OK();
  }

  Directory* const directory_;
  std::vector<Visit> visits_;  // Outermost first.
  std::vector<std::string> paths_;
  std::vector<std::string> foreign_;
};

std::vector<PartitionValue> PartitionsOf(const std::string& path, const std::string& root) {
  std::vector<PartitionValue> partitions;
  std::vector<std::string> folders = Components(std::string_view(path).substr(root.size()));
  folders.pop_back();
  for (const std::string& folder : folders) {
    const size_t equals = folder.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    const std::string value = folder.substr(equals + 1);
    PartitionValue partition{PercentDecoded(folder.substr(0, equals)), std::nullopt};
    if (value != kNullPartition) partition.value = PercentDecoded(value);
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Status NotFound(const DataSource& source, const std::string& path, const Status& error) {
  if (!error.ok()) {
    return Annotate(error, "Cannot look at the path of data source " + source.name + ": " + path);
  }
  return UserError(
      "The path of data source {} does not exist; put the files there, or correct the path and run "
      "`feast apply`: {}",
      source.name, path);
}

// Where a path begins: "/", ".", or "s3://".
std::string TopOf(std::string_view path) {
  if (objects::IsObjectUri(path)) return std::string(path.substr(0, path.find("://") + 3));
  return path.starts_with('/') ? "/" : ".";
}

// The files of a glob and the folder from which its partitions count.
Result<std::pair<std::vector<std::string>, std::string>> ExpandGlob(Directory* directory,
                                                                    const DataSource& source,
                                                                    const std::string& path) {
  std::string root = TopOf(path);
  std::vector<std::string> pattern =
      Components(root == "." ? path : std::string_view(path).substr(root.size()));
  const auto first =
      std::ranges::find_if(pattern, [](const std::string& part) { return HasWildcard(part); });
  if (first == pattern.begin() && objects::IsObjectUri(path))
    return UserError("A bucket's name may not be a pattern: {}", path);
  for (auto part = pattern.begin(); part != first; ++part) root = JoinPath(root, *part);
  pattern.erase(pattern.begin(), first);
  Collector collector(directory);
  BANQUET_ASSIGN_OR_RETURN(const PathState state, directory->Look(root));
  if (state.is_folder) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(directory, JoinPath(root, pattern.front())));
    BANQUET_RETURN_NOT_OK(collector.AddMatches(root, pattern, 0));
  }
  BANQUET_ASSIGN_OR_RETURN(std::vector<std::string> paths, collector.Finish());
  if (paths.empty()) {
    return UserError(
        "The pattern of data source {} matches no file; put the files there, or correct the path "
        "and run `feast apply`: {}",
        source.name, path);
  }
  return std::pair(std::move(paths), std::move(root));
}

}  // namespace

Result<std::string> ResolvedPath(const DataSource& source, const std::string& repo_path) {
  if (source.uri.empty()) {
    return UserError("The data source names no path; set it and run `feast apply`: {}",
                     source.name);
  }
  std::string path = source.uri;
  if (const size_t colon = path.find("://");
      colon != std::string::npos && colon > 0 && path.find('/') == colon + 1) {
    const std::string scheme = path.substr(0, colon);
    if (objects::IsObjectUri(path)) {
      while (path.ends_with('/')) path.pop_back();
      return path;
    }
    if (scheme != "file") {
      return UserError(
          "This version reads local files, s3:// and gs://, not {}://; copy the files there and "
          "point the data source to them: {}",
          scheme, source.uri);
    }
    path = PercentDecoded(path.substr(colon + 3));
    if (path.starts_with("localhost/")) path = path.substr(std::strlen("localhost"));
  }
  const std::filesystem::path absolute = std::filesystem::path(repo_path) / path;
  std::string resolved = absolute.lexically_normal().string();
  while (resolved.size() > 1 && resolved.ends_with('/')) resolved.pop_back();
  return resolved;
}

Result<std::vector<SourceFile>> FindSourceFiles(const DataSource& source, const std::string& path,
                                                Directory* directory) {
  if (source.file_format == "delta") {
    return UserError(
        "Delta Lake table: not supported by this version, which reads plain Parquet files; "
        "export the table to Parquet and change data source {}: {}",
        source.name, path);
  }
  if (!source.file_format.empty() && source.file_format != "parquet") {
    return UserError("This version reads Parquet files, not the format of data source {}: {}",
                     source.name, source.file_format);
  }
  BANQUET_ASSIGN_OR_RETURN(const PathState state, directory->Look(path));
  std::vector<std::string> paths;
  std::string root = path;
  if (state.is_file) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(directory, path));
    return std::vector<SourceFile>{{.path = path, .partitions = {}}};
  }
  if (state.is_folder) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(directory, path));
    Collector collector(directory);
    BANQUET_RETURN_NOT_OK(collector.AddFolder(path));
    BANQUET_ASSIGN_OR_RETURN(paths, collector.Finish());
    if (paths.empty()) {
      return UserError(
          "The folder of data source {} holds no Parquet file; put the files there, or correct the "
          "path and run `feast apply`: {}",
          source.name, path);
    }
  } else if (state.exists) {
    return UserError("The path of data source {} is neither a file nor a folder: {}", source.name,
                     path);
  } else if (HasWildcard(path)) {
    BANQUET_ASSIGN_OR_RETURN(std::tie(paths, root), ExpandGlob(directory, source, path));
  } else {
    return NotFound(source, path, state.error);
  }
  std::vector<SourceFile> files;
  for (std::string& file : paths) {
    std::vector<PartitionValue> partitions = PartitionsOf(file, root);
    files.push_back({std::move(file), std::move(partitions)});
  }
  return files;
}

}  // namespace banquet::parquet_store
