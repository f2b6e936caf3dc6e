#pragma once
// Where sources are read from: this machine, and an object store for each endpoint.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "banquet/model/data_source.h"
#include "banquet/offline/offline_store.h"
#include "banquet/offline/parquet/directory.h"
#include "banquet/offline/parquet/file_access.h"

namespace banquet::parquet_store {

struct SourceAccess {
  std::unique_ptr<Directory> directory;
  std::shared_ptr<const FileAccess> files;
};

// Safe to share between threads: the views of a run share an object store, its connections and who
// we are to it.
class SourceStores {
 public:
  explicit SourceStores(OfflineStoreContext context) : context_(std::move(context)) {}

  const std::string& repo_path() const { return context_.repo_path; }
  // `path`: of the source, resolved.
  SourceAccess AccessOf(const DataSource& source, const std::string& path);

 private:
  const OfflineStoreContext context_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<objects::ObjectStore>> object_stores_;  // By S3 endpoint.
};

}  // namespace banquet::parquet_store
