#pragma once
// Folders and files behind a source's path, on this machine or in an object store.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"

namespace banquet::objects {
class ObjectStore;
}

namespace banquet::parquet_store {

struct PathState {
  bool exists = false;
  bool is_folder = false;
  bool is_file = false;
  Status error;    // Where it does not exist for another reason than that nothing has the name.
  std::string id;  // The same for two paths of one folder.
};

// Used by one thread.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual Result<PathState> Look(const std::string& path) = 0;
  // Of what lies in a folder, sorted.
  virtual Result<std::vector<std::string>> SortedNames(const std::string& folder) = 0;
  // All of a folder is about to be looked at, at any depth.
  virtual Status Expect(const std::string& folder) = 0;
  // The folder above; nullopt at the top.
  virtual std::optional<std::string> Parent(const std::string& path) const = 0;
  virtual Result<bool> BeginsWithParquetMagic(const std::string& path) = 0;
};

std::unique_ptr<Directory> MakeLocalDirectory();
// Lists folder by folder and remembers what it saw. Keys that end in '/' are folders.
std::unique_ptr<Directory> MakeObjectDirectory(std::shared_ptr<objects::ObjectStore> store);

std::string JoinPath(const std::string& folder, const std::string& name);

}  // namespace banquet::parquet_store
