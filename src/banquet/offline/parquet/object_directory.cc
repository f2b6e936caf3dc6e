#include <map>
#include <set>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "banquet/client/objects/object_store.h"
#include "banquet/offline/parquet/directory.h"

namespace banquet::parquet_store {
namespace {

using objects::ListedPath;

PathState StateOf(const ListedPath& info) {
  return {.exists = info.kind != ListedPath::Kind::kMissing,
          .is_folder = info.kind == ListedPath::Kind::kFolder,
          .is_file = info.kind == ListedPath::Kind::kObject,
          .error = {},
          .id = info.uri};
}

class ObjectDirectory final : public Directory {
 public:
  explicit ObjectDirectory(std::shared_ptr<objects::ObjectStore> store)
      : store_(std::move(store)) {}

  Result<PathState> Look(const std::string& path) override {
    if (const auto known = states_.find(path); known != states_.end()) return known->second;
    // A name that its folder's listing lacks is not there: no request is made.
    const std::optional<std::string> parent = Parent(path);
    if (parent.has_value() && listed_.contains(*parent)) return PathState{};
    BANQUET_ASSIGN_OR_RETURN(const ListedPath info, store_->Look(path));
    return states_[path] = StateOf(info);
  }

  Result<std::vector<std::string>> SortedNames(const std::string& folder) override {
    if (!listed_.contains(folder)) {
      BANQUET_RETURN_NOT_OK(Remember(folder, /*below=*/false));
      listed_.insert(folder);
    }
    std::vector<std::string> names;
    const std::string prefix = JoinPath(folder, "");
    for (auto state = states_.lower_bound(prefix);
         state != states_.end() && state->first.starts_with(prefix); ++state) {
      const std::string name = state->first.substr(prefix.size());
      if (!name.empty() && state->second.exists && name.find('/') == std::string::npos)
        names.push_back(name);
    }
    return names;
  }

  // One listing of all, a thousand objects to a request, in place of one per folder.
  Status Expect(const std::string& folder) override {
    if (listed_.contains(folder)) return Status::OK();
    BANQUET_RETURN_NOT_OK(Remember(folder, /*below=*/true));
    listed_.insert(folder);
    const std::string prefix = JoinPath(folder, "");
    for (const auto& [path, state] : states_) {
      if (state.is_folder && path.starts_with(prefix)) listed_.insert(path);
    }
    return Status::OK();
  }

  // A bucket is the top.
  std::optional<std::string> Parent(const std::string& path) const override {
    const size_t bucket = path.find("://") + 3;
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash < bucket) return std::nullopt;
    return path.substr(0, slash);
  }

  Result<bool> BeginsWithParquetMagic(const std::string& path) override {
    BANQUET_ASSIGN_OR_RETURN(const objects::OpenObject open, store_->Open(path));
    BANQUET_ASSIGN_OR_RETURN(const auto magic, open.file->ReadAt(0, 4));
    return magic->ToString() == "PAR1";
  }

 private:
  Status Remember(const std::string& folder, bool below) {
    BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> found, store_->List(folder, below));
    for (const ListedPath& info : found) states_[info.uri] = StateOf(info);
    return Status::OK();
  }

  const std::shared_ptr<objects::ObjectStore> store_;
  std::map<std::string, PathState> states_;
  std::set<std::string> listed_;  // Folders whose names are all in states_.
};

}  // namespace

std::unique_ptr<Directory> MakeObjectDirectory(std::shared_ptr<objects::ObjectStore> store) {
  return std::make_unique<ObjectDirectory>(std::move(store));
}

}  // namespace banquet::parquet_store
