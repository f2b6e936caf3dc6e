#include "banquet/offline/parquet/source_files.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet::parquet_store {
namespace {

constexpr size_t kFolderDepthMax = 64;
constexpr std::string_view kNullPartition = "__HIVE_DEFAULT_PARTITION__";

struct PathState {
  bool exists = false;
  bool is_folder = false;
  bool is_file = false;
  int error = 0;  // errno where it does not exist or may not be looked at.
  std::pair<dev_t, ino_t> id;
};

PathState Look(const std::string& path) {
  struct stat found {};
  PathState state;
  if (::stat(path.c_str(), &found) != 0) {
    state.error = errno;
    return state;
  }
  state.exists = true;
  state.is_folder = S_ISDIR(found.st_mode);
  state.is_file = S_ISREG(found.st_mode);
  state.id = {found.st_dev, found.st_ino};
  return state;
}

std::string Join(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

std::vector<std::string> Components(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) components.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return components;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %XX decoded; a '%' that begins no such pair stays.
std::string UrlDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
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

bool BeginsWithParquetMagic(const std::string& path) {
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic, sizeof(magic)) && std::memcmp(magic, "PAR1", sizeof(magic)) == 0;
}

Result<std::vector<std::string>> SortedNames(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), &::closedir);
  if (listing == nullptr) {
    return ErrnoStatus(errno, "Cannot list a folder of the data source: " + folder);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// The table format whose folder this is, or "".
std::string_view TableFormatOf(const std::string& folder) {
  if (Look(Join(folder, "_delta_log")).is_folder) return "Delta Lake";
  if (Look(Join(folder, ".hoodie")).is_folder) return "Hudi";
  const std::string metadata = Join(folder, "metadata");
  if (!Look(metadata).is_folder) return "";
  const Result<std::vector<std::string>> names = SortedNames(metadata);
  if (names.ok() && std::ranges::any_of(*names, [](const std::string& name) {
        return name.ends_with(".metadata.json");
      })) {
    return "Iceberg";
  }
  return "";
}

Status RefuseTableFormat(const std::string& folder) {
  const std::string_view format = TableFormatOf(folder);
  if (format.empty()) return Status::OK();
  return UserError(
      "{} table: not supported by this version, which reads plain Parquet files; export the "
      "table to Parquet and point the data source there: {}",
      format, folder);
}

Status RefuseTableFormatAbove(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  while (folder.has_relative_path()) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormat(folder.string()));
    folder = folder.parent_path();
  }
  return Status::OK();
}

// Collects files below folders and globs. Used by one thread, for one source.
class Collector {
 public:
  // All data files at and below a folder.
  Status AddFolder(const std::string& folder) {
    BANQUET_ASSIGN_OR_RETURN(const Descent descent, Descend(folder));
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> names, SortedNames(folder));
    for (const std::string& name : names) {
      if (IsHidden(name)) continue;
      const std::string path = Join(folder, name);
      const PathState state = Look(path);
      if (state.is_folder) {
        BANQUET_RETURN_NOT_OK(AddFolder(path));
      } else if (state.is_file && (HasParquetName(name) || (name.starts_with("part-") &&
                                                            name.find('.') == std::string::npos &&
                                                            BeginsWithParquetMagic(path)))) {
        paths_.push_back(path);
      } else {
        foreign_.push_back(path);
      }
    }
    return Status::OK();
  }

  // What pattern[next..] matches below a folder.
  Status AddMatches(const std::string& folder, const std::vector<std::string>& pattern,
                    size_t next) {
    const std::string& part = pattern[next];
    const bool last = next + 1 == pattern.size();
    BANQUET_ASSIGN_OR_RETURN(const Descent descent, Descend(folder));
    if (!HasWildcard(part)) return AddMatch(Join(folder, part), pattern, next);
    if (part == "**" && last) return AddFolder(folder);
    if (part == "**") BANQUET_RETURN_NOT_OK(AddMatches(folder, pattern, next + 1));
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> names, SortedNames(folder));
    for (const std::string& name : names) {
      const std::string path = Join(folder, name);
      if (part == "**") {
        if (!IsHidden(name) && Look(path).is_folder) {
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
    std::pair<dev_t, ino_t> id;
  };
  // Leaves a folder when it ends.
  struct Leave {
    void operator()(std::vector<Visit>* visits) const { visits->pop_back(); }
  };
  using Descent = std::unique_ptr<std::vector<Visit>, Leave>;

  // "**" visits a folder again without going down, which is no circle.
  Result<Descent> Descend(const std::string& folder) {
    const PathState state = Look(folder);
    const bool circle = std::ranges::any_of(visits_, [&](const Visit& visit) {
      return visit.id == state.id && visit.folder != folder;
    });
    if (circle || visits_.size() >= kFolderDepthMax) {
      return DataError("The data source's folders lie too deep or in a circle of links: {}",
                       folder);
    }
    BANQUET_RETURN_NOT_OK(RefuseTableFormat(folder));
    visits_.push_back({folder, state.id});
    return Descent(&visits_);
  }

  Status AddMatch(const std::string& path, const std::vector<std::string>& pattern, size_t next) {
    const PathState state = Look(path);
    if (next + 1 < pattern.size()) {
      return state.is_folder ? AddMatches(path, pattern, next + 1) : Status::OK();
    }
    if (state.is_folder) return AddFolder(path);
    if (state.is_file) paths_.push_back(path);
    return Status::OK();
  }

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
    PartitionValue partition{UrlDecoded(folder.substr(0, equals)), std::nullopt};
    if (value != kNullPartition) partition.value = UrlDecoded(value);
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::string> ResolvedPath(const DataSource& source, const std::string& repo_path) {
  if (source.uri.empty()) {
    return UserError("The data source names no path; set it and run `feast apply`: {}",
                     source.name);
  }
  std::string path = source.uri;
  if (const size_t colon = path.find("://");
      colon != std::string::npos && colon > 0 && path.find('/') == colon + 1) {
    const std::string scheme = path.substr(0, colon);
    if (scheme != "file") {
      return UserError(
          "This version reads local files, not {}://; copy the files to a local path and point "
          "the data source there: {}",
          scheme, source.uri);
    }
    path = UrlDecoded(path.substr(colon + 3));
    if (path.starts_with("localhost/")) path = path.substr(std::strlen("localhost"));
  }
  const std::filesystem::path absolute = std::filesystem::path(repo_path) / path;
  std::string resolved = absolute.lexically_normal().string();
  while (resolved.size() > 1 && resolved.ends_with('/')) resolved.pop_back();
  return resolved;
}

Status NotFound(const DataSource& source, const std::string& path, int error) {
  if (error != ENOENT && error != ENOTDIR) {
    return ErrnoStatus(error,
                       "Cannot look at the path of data source " + source.name + ": " + path);
  }
  return UserError(
      "The path of data source {} does not exist; put the files there, or correct the path and run "
      "`feast apply`: {}",
      source.name, path);
}

// The files of a glob and the folder from which its partitions count.
Result<std::pair<std::vector<std::string>, std::string>> ExpandGlob(const DataSource& source,
                                                                    const std::string& path) {
  std::vector<std::string> pattern = Components(path);
  const auto first =
      std::ranges::find_if(pattern, [](const std::string& part) { return HasWildcard(part); });
  std::string root = path.starts_with('/') ? "/" : ".";
  for (auto part = pattern.begin(); part != first; ++part) root = Join(root, *part);
  pattern.erase(pattern.begin(), first);
  Collector collector;
  if (Look(root).is_folder) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(Join(root, pattern.front())));
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

Result<std::vector<SourceFile>> FindSourceFiles(const DataSource& source,
                                                const std::string& repo_path) {
  BANQUET_ASSIGN_OR_RETURN(const std::string path, ResolvedPath(source, repo_path));
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
  const PathState state = Look(path);
  std::vector<std::string> paths;
  std::string root = path;
  if (state.is_file) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(path));
    return std::vector<SourceFile>{{.path = path, .partitions = {}}};
  }
  if (state.is_folder) {
    BANQUET_RETURN_NOT_OK(RefuseTableFormatAbove(path));
    Collector collector;
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
    BANQUET_ASSIGN_OR_RETURN(std::tie(paths, root), ExpandGlob(source, path));
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
