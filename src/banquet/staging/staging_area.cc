#include "banquet/staging/staging_area.h"

#include <algorithm>
#include <map>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/byte_size.h"
#include "banquet/base/percent_text.h"
#include "banquet/staging/manifest.h"
#include "parquet/arrow/writer.h"
#include "parquet/exception.h"
#include "parquet/file_reader.h"
#include "parquet/metadata.h"
#include "parquet/properties.h"

namespace banquet {
namespace {

using objects::ListedPath;
using objects::ObjectStore;

constexpr int64_t kRowGroupRows = 131'072;
constexpr int64_t kRowGroupBytes = int64_t{8} << 20;  // Of Arrow: what one writer keeps in memory.
constexpr int64_t kManifestBytesMax = int64_t{256} << 20;

// FNV-1a, 32 bits: enough to keep some registries apart.
uint32_t HashOf(std::string_view text) {
  uint32_t hash = 2'166'136'261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  return hash;
}

class FileWriter final : public StagedFileWriter {
 public:
  FileWriter(std::string name, std::shared_ptr<arrow::io::OutputStream> stream,
             std::unique_ptr<parquet::arrow::FileWriter> writer)
      : name_(std::move(name)), stream_(std::move(stream)), writer_(std::move(writer)) {}

  ~FileWriter() override {
    if (!stream_->closed()) (void)stream_->Abort();
  }

  Status Write(const arrow::RecordBatch& rows) override {
    BANQUET_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(rows));
    if (std::exchange(buffered_, buffered_ + bytes) > 0 && buffered_ > kRowGroupBytes) {
      BANQUET_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      buffered_ = bytes;
    }
    BANQUET_RETURN_NOT_OK(writer_->WriteRecordBatch(rows));
    rows_ += rows.num_rows();
    return Status::OK();
  }

  Result<StagedFile> Close() override {
    BANQUET_RETURN_NOT_OK(writer_->Close());
    BANQUET_ASSIGN_OR_RETURN(const int64_t bytes, stream_->Tell());
    BANQUET_RETURN_NOT_OK(stream_->Close());
    return StagedFile{.name = name_, .rows = rows_, .bytes = bytes};
  }

 private:
  const std::string name_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;
  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t rows_ = 0;
  int64_t buffered_ = 0;  // Bytes of the rows of the open row group.
};

}  // namespace

std::string StagingFolder::ManifestUri() const { return uri_ + "/" + kManifestName; }

Status StagingFolder::WriteManifest(const StagedManifest& manifest) {
  const std::string text = ManifestToJson(manifest);
  BANQUET_ASSIGN_OR_RETURN(const auto stream, store_->Create(ManifestUri()));
  BANQUET_RETURN_NOT_OK(stream->Write(text.data(), static_cast<int64_t>(text.size())));
  return stream->Close();
}

Status StagingFolder::CheckFiles(const StagedManifest& manifest) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> listed,
                           store_->List(uri_, /*below=*/true));
  std::map<std::string, int64_t> found;  // By the path in the folder.
  for (const ListedPath& path : listed) {
    const std::string name = path.uri.substr(uri_.size() + 1);
    if (path.kind == ListedPath::Kind::kObject && name != kManifestName) found[name] = path.size;
  }
  for (const StagedFile& file : manifest.files) {
    const auto here = found.find(file.name);
    if (here == found.end())
      return DataError("A file that the manifest names is not there: {}/{}", uri_, file.name);
    if (here->second != file.bytes) {
      return DataError("A staged file has {} bytes, the manifest says {}: {}/{}", here->second,
                       file.bytes, uri_, file.name);
    }
    found.erase(here);
  }
  if (found.empty()) return Status::OK();
  return DataError("A file that the manifest does not name lies in the folder: {}/{}", uri_,
                   found.begin()->first);
}

Result<std::vector<StagedFile>> StagingFolder::TakeParquetFiles() const {
  std::vector<StagedFile> files;
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> listed,
                           store_->List(uri_, /*below=*/true));
  for (const ListedPath& path : listed) {
    if (path.kind != ListedPath::Kind::kObject) continue;
    const std::string name = path.uri.substr(uri_.size() + 1);
    const bool is_hidden = name.front() == '.' || name.front() == '_';
    if (is_hidden || !name.ends_with(".parquet") || name.find('/') != std::string::npos) {
      BANQUET_RETURN_NOT_OK(store_->Remove(path.uri));
      continue;
    }
    BANQUET_ASSIGN_OR_RETURN(const objects::OpenObject object, store_->Open(path.uri));
    try {
      const int64_t rows = parquet::ReadMetaData(object.file)->num_rows();
      files.push_back({.name = name, .rows = rows, .bytes = path.size});
    } catch (const parquet::ParquetException& error) {
      return DataError("A staged file is no Parquet: {}: {}", path.uri, error.what());
    }
  }
  return files;
}

Status StagingFolder::Remove() { return store_->RemoveFolder(uri_); }

Status StagingFolder::RemoveStaged(const StagedManifest& manifest) {
  for (const StagedFile& file : manifest.files)
    BANQUET_RETURN_NOT_OK(store_->Remove(uri_ + "/" + file.name));
  BANQUET_RETURN_NOT_OK(store_->Remove(ManifestUri()));
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> left, store_->List(uri_, /*below=*/true));
  return left.empty() ? store_->RemoveFolder(uri_) : Status::OK();
}

StagingArea::StagingArea(std::shared_ptr<ObjectStore> store, std::string_view location,
                         std::string_view registry)
    : store_(std::move(store)), root_(location) {
  while (root_.ends_with('/')) root_.pop_back();
  root_ += fmt::format("/banquet-{:08x}", HashOf(registry));
}

Result<StagingFolder> StagingArea::Begin(const std::string& project, const std::string& view,
                                         const std::string& run_id) {
  const std::string of_view =
      fmt::format("{}/{}.{}", root_, PercentEncoded(project), PercentEncoded(view));
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> left,
                           store_->List(of_view, /*below=*/false));
  for (const ListedPath& path : left) {
    if (path.kind == ListedPath::Kind::kFolder)
      BANQUET_RETURN_NOT_OK(store_->RemoveFolder(path.uri));
  }
  return StagingFolder(store_, of_view + "/" + PercentEncoded(run_id));
}

Result<FoundManifest> ReadManifest(std::shared_ptr<ObjectStore> store,
                                   const std::string& manifest_uri) {
  const size_t slash = manifest_uri.rfind('/');
  if (slash == std::string::npos || manifest_uri.substr(slash + 1) != kManifestName) {
    return UserError("Name the {} of a staging folder: {}", kManifestName, manifest_uri);
  }
  BANQUET_ASSIGN_OR_RETURN(const ListedPath found, store->Look(manifest_uri));
  if (found.kind != ListedPath::Kind::kObject)
    return UserError("The manifest does not exist: {}", manifest_uri);
  if (found.size > kManifestBytesMax)
    return DataError("It is no manifest of a staging folder: {}", manifest_uri);
  BANQUET_ASSIGN_OR_RETURN(const objects::OpenObject object, store->Open(manifest_uri));
  BANQUET_ASSIGN_OR_RETURN(const auto bytes, object.file->ReadAt(0, found.size));
  BANQUET_ASSIGN_OR_RETURN(StagedManifest manifest,
                           ManifestFromJson({reinterpret_cast<const char*>(bytes->data()),
                                             static_cast<size_t>(bytes->size())},
                                            manifest_uri));
  return FoundManifest{.manifest = std::move(manifest),
                       .folder = StagingFolder(std::move(store), manifest_uri.substr(0, slash))};
}

Result<std::unique_ptr<StagedFileWriter>> StagedFileWriter::Open(
    const StagingFolder& folder, std::string name, std::shared_ptr<arrow::Schema> schema) {
  BANQUET_ASSIGN_OR_RETURN(auto stream, folder.store()->Create(folder.uri() + "/" + name));
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(arrow::Compression::ZSTD)
                              ->max_row_group_length(kRowGroupRows)
                              ->version(parquet::ParquetVersion::PARQUET_2_6)
                              ->build();
  BANQUET_ASSIGN_OR_RETURN(auto writer,
                           parquet::arrow::FileWriter::Open(
                               *schema, arrow::default_memory_pool(), stream, properties,
                               parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  return std::make_unique<FileWriter>(std::move(name), std::move(stream), std::move(writer));
}

}  // namespace banquet
