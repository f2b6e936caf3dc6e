#include "banquet/offline/parquet/parquet_file.h"

#include <algorithm>
#include <cerrno>

#include "arrow/io/interfaces.h"
#include "arrow/type.h"
#include "arrow/util/io_util.h"
#include "parquet/arrow/schema.h"
#include "parquet/metadata.h"
#include "parquet/properties.h"

namespace banquet::parquet_store {
namespace {

// What is read of a file at a time: of all columns together, and of one.
constexpr int64_t kReadBytesOfAll = int64_t{8} << 20;
constexpr int64_t kReadBytesMax = 256 * 1024;
constexpr int64_t kReadBytesMin = 8 * 1024;
// Of an object, where each read is a request.
constexpr int64_t kRemoteBytesOfAll = int64_t{16} << 20;
constexpr int64_t kRemoteBytesMin = 32 * 1024;

Status Changed(const std::string& path) {
  return DataError(
      "The file changed while it was being read; run again when nothing writes to it, and replace "
      "files by renaming complete ones: {}",
      path);
}

// Damage is found where the writer left page checksums.
parquet::ReaderProperties PageProperties(int64_t columns, bool is_remote) {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  // Page by page: whole column chunks of large row groups would be what takes the most memory.
  properties.enable_buffered_stream();
  const int64_t share = (is_remote ? kRemoteBytesOfAll : kReadBytesOfAll) / columns;
  properties.set_buffer_size(is_remote ? std::max(share, kRemoteBytesMin)
                                       : std::clamp(share, kReadBytesMin, kReadBytesMax));
  return properties;
}

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) CollectLeaves(child, leaves);
}

}  // namespace

Status UnreadableFile(const std::string& path, const Status& status) {
  if (dynamic_cast<const FaultDetail*>(status.detail().get()) != nullptr) return status;
  // A damaged footer may ask for impossible places (EINVAL); the rest is the disk's or mount's
  // doing.
  if (const int error = arrow::internal::ErrnoFromStatus(status); error != 0 && error != EINVAL) {
    return RemoteError({}, "Cannot read file {}: {}", path, status.message());
  }
  return DataError("Cannot read the Parquet file (damaged, cut off or of another format) {}: {}",
                   path, status.message());
}

Result<std::shared_ptr<const ParquetFile>> ParquetFile::Open(
    std::string path, std::shared_ptr<const FileAccess> access) {
  std::shared_ptr<ParquetFile> file(new ParquetFile(std::move(path), std::move(access)));
  BANQUET_RETURN_NOT_OK(AtTheDoor(file->path_, [&] { return file->ReadFooter(); }));
  return file;
}

Status ParquetFile::ReadFooter() {
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<OpenFile> open, access_->Open(path_));
  BANQUET_ASSIGN_OR_RETURN(version_, open->Version());
  BANQUET_ASSIGN_OR_RETURN(const int64_t size, open->file()->GetSize());
  if (size == 0) return DataError("The Parquet file is empty (0 bytes): {}", path_);
  parquet::arrow::FileReaderBuilder builder;
  BANQUET_RETURN_NOT_OK(
      builder.Open(open->file(), PageProperties(/*columns=*/1, access_->is_remote())));
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<parquet::arrow::FileReader> reader,
                           builder.Build());
  metadata_ = reader->parquet_reader()->metadata();
  int64_t rows = 0;
  for (int group = 0; group < metadata_->num_row_groups(); ++group) {
    const int64_t group_rows = metadata_->RowGroup(group)->num_rows();
    if (group_rows < 0 || __builtin_add_overflow(rows, group_rows, &rows)) {
      return Status::Invalid("row group ", group, " says it has ", group_rows, " rows");
    }
  }
  if (rows != metadata_->num_rows()) {
    return Status::Invalid("its row groups have ", rows, " rows, its footer says ",
                           metadata_->num_rows());
  }
  for (const parquet::arrow::SchemaField& field : reader->manifest().schema_fields) {
    StoredColumn& column = columns_.emplace_back();
    column.field = field.field;
    CollectLeaves(field, &column.leaves);
    column.is_int96 =
        field.is_leaf() &&
        metadata_->schema()->Column(field.column_index)->physical_type() == parquet::Type::INT96;
  }
  return Status::OK();
}

std::vector<std::string> ParquetFile::ColumnNames() const {
  std::vector<std::string> names;
  for (const StoredColumn& column : columns_) names.push_back(column.field->name());
  return names;
}

Result<int> ParquetFile::FindColumn(const std::string& name) const {
  int found = -1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].field->name() != name) continue;
    if (found >= 0) return DataError("Two columns have one name: {}, file {}", name, path_);
    found = static_cast<int>(i);
  }
  return found;
}

Result<int64_t> ParquetFile::StoredBytes(int row_group, const std::vector<int>& leaves) const {
  return AtTheDoor(path_, [&]() -> Result<int64_t> {
    const auto group = metadata_->RowGroup(row_group);
    int64_t bytes = 0;
    for (const int leaf : leaves) bytes += group->ColumnChunk(leaf)->total_compressed_size();
    return bytes;
  });
}

Result<OpenParquet> ParquetFile::OpenReader(const ReadingForm& form) const {
  Result<std::unique_ptr<OpenFile>> file = access_->Open(path_);
  if (!file.ok()) {
    // It was there when the footer was read. Of an object also a right may have been withdrawn.
    if (FaultOf(file.status()) == Fault::kUser && !access_->is_remote()) return Changed(path_);
    return file.status();
  }
  BANQUET_RETURN_NOT_OK(CheckUnchanged(**file));
  return AtTheDoor(path_, [&]() -> Result<OpenParquet> {
    const bool is_remote = access_->is_remote();
    parquet::ArrowReaderProperties properties = parquet::default_arrow_reader_properties();
    properties.set_use_threads(false);
    // A row group that is small enough comes in a few requests at once.
    properties.set_pre_buffer(is_remote && form.stored_bytes <= kRemoteBytesOfAll);
    properties.set_batch_size(form.batch_rows);
    for (const int leaf : form.dictionaries) properties.set_read_dictionary(leaf, true);
    if (form.int96_unit == Int96Unit::kMicros) {
      properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
    }
    parquet::arrow::FileReaderBuilder builder;
    BANQUET_RETURN_NOT_OK(builder.Open(
        (*file)->file(), PageProperties(std::max<int64_t>(form.columns, 1), is_remote), metadata_));
    builder.properties(properties);
    OpenParquet open{.file = std::move(*file), .reader = nullptr};
    BANQUET_ASSIGN_OR_RETURN(open.reader, builder.Build());
    return open;
  });
}

Status ParquetFile::CheckUnchanged(const OpenFile& file) const {
  BANQUET_ASSIGN_OR_RETURN(const std::string version, file.Version());
  return version == version_ ? Status::OK() : Changed(path_);
}

}  // namespace banquet::parquet_store
