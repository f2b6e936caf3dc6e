#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/offline/parquet/directory.h"

namespace banquet::parquet_store {
namespace {

class LocalDirectory final : public Directory {
 public:
  Result<PathState> Look(const std::string& path) override {
    struct stat found {};
    PathState state;
    if (::stat(path.c_str(), &found) != 0) {
      if (errno != ENOENT && errno != ENOTDIR)
        state.error = ErrnoStatus(errno, "Cannot look at it");
      return state;
    }
    state.exists = true;
    state.is_folder = S_ISDIR(found.st_mode);
    state.is_file = S_ISREG(found.st_mode);
    state.id = fmt::format("{}:{}", found.st_dev, found.st_ino);
    return state;
  }

  Result<std::vector<std::string>> SortedNames(const std::string& folder) override {
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

  Status Expect(const std::string& /*folder*/) override { return Status::OK(); }

  std::optional<std::string> Parent(const std::string& path) const override {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.has_relative_path()) return std::nullopt;
    return folder.string();
  }

  Result<bool> BeginsWithParquetMagic(const std::string& path) override {
    char magic[4] = {};
    std::ifstream file(path, std::ios::binary);
    return file.read(magic, sizeof(magic)) && std::memcmp(magic, "PAR1", sizeof(magic)) == 0;
  }
};

}  // namespace

std::unique_ptr<Directory> MakeLocalDirectory() { return std::make_unique<LocalDirectory>(); }

std::string JoinPath(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

}  // namespace banquet::parquet_store
