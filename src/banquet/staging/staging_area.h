#pragma once
// Where rows wait between their source and the online stores: run folders on this machine, S3 or
// GCS.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/client/objects/object_store.h"
#include "banquet/model/staged_files.h"

namespace banquet {

// The folder of one run of one group of views: <location>/<registry>/<view>/<run id>. Safe to share
// between threads.
class StagingFolder {
 public:
  StagingFolder(std::shared_ptr<objects::ObjectStore> store, std::string uri)
      : store_(std::move(store)), uri_(std::move(uri)) {}

  const std::string& uri() const { return uri_; }
  std::string ManifestUri() const;
  objects::ObjectStore* store() const { return store_.get(); }

  // Last of all: a folder with a manifest is whole.
  Status WriteManifest(const StagedManifest& manifest);
  // Whether exactly the files of the manifest are there, each of its size, and nothing else beside
  // or below them. What is missing or too many is a data error.
  Status CheckFiles(const StagedManifest& manifest);
  // What another program has written there: its Parquet files, whose rows their footers tell. What
  // it left beside them (checksums, marks of success) is removed.
  Result<std::vector<StagedFile>> TakeParquetFiles() const;
  // With all that lies in it; only of a folder that StagingArea has made.
  Status Remove();
  // The files of the manifest and itself, and the folder if it is empty then: nothing of others.
  Status RemoveStaged(const StagedManifest& manifest);

 private:
  std::shared_ptr<objects::ObjectStore> store_;
  std::string uri_;
};

// A staging location. Safe to share between threads.
class StagingArea {
 public:
  // `registry`: its path, which keeps apart what runs over different registries stage.
  StagingArea(std::shared_ptr<objects::ObjectStore> store, std::string_view location,
              std::string_view registry);

  // A new folder for a view (the first of its group). Folders that earlier runs of the view left
  // are removed first: who calls holds the view's lock, so that none of them is in use.
  Result<StagingFolder> Begin(const std::string& project, const std::string& view,
                              const std::string& run_id);

 private:
  const std::shared_ptr<objects::ObjectStore> store_;
  std::string root_;
};

// The manifest at that place, and its folder.
struct FoundManifest {
  StagedManifest manifest;
  StagingFolder folder;
};
Result<FoundManifest> ReadManifest(std::shared_ptr<objects::ObjectStore> store,
                                   const std::string& manifest_uri);

// Writes one Parquet file of a folder. Used by one thread.
class StagedFileWriter {
 public:
  // `name`: of the file in the folder.
  static Result<std::unique_ptr<StagedFileWriter>> Open(const StagingFolder& folder,
                                                        std::string name,
                                                        std::shared_ptr<arrow::Schema> schema);
  virtual ~StagedFileWriter() = default;
  virtual Status Write(const arrow::RecordBatch& rows) = 0;
  // The file is there once this has returned.
  virtual Result<StagedFile> Close() = 0;
};

}  // namespace banquet
