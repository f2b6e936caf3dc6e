#include "banquet/offline/parquet/parquet_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "arrow/io/file.h"
#include "arrow/type.h"
#include "arrow/util/io_util.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "parquet/arrow/schema.h"
#include "parquet/metadata.h"
#include "parquet/properties.h"

namespace banquet::parquet_store {
namespace {

// What is read of a file at a time: of all columns together, and of one.
constexpr int64_t kReadBytesOfAll = int64_t{8} << 20;
constexpr int64_t kReadBytesMax = 256 * 1024;
constexpr int64_t kReadBytesMin = 8 * 1024;

Status Changed(const std::string& path) {
  return DataError(
      "The file changed while it was being read; run again when nothing writes to it, and replace "
      "files by renaming complete ones: {}",
      path);
}

Result<FileStamp> StampOf(const arrow::io::ReadableFile& file, const std::string& path) {
  struct stat found {};
  if (::fstat(file.file_descriptor(), &found) != 0) {
    return ErrnoStatus(errno, "Cannot look at file " + path);
  }
  return FileStamp{
      .device = found.st_dev,
      .inode = found.st_ino,
      .size = found.st_size,
      .changed_ns = int64_t{found.st_mtim.tv_sec} * 1000 * 1000 * 1000 + found.st_mtim.tv_nsec};
}

Result<std::shared_ptr<arrow::io::ReadableFile>> OpenForReading(const std::string& path) {
  // O_NONBLOCK so that a pipe by that name does not hold us.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus(errno, "Cannot open file " + path);
  return arrow::io::ReadableFile::Open(fd);
}

// Damage is found where the writer left page checksums.
parquet::ReaderProperties PageProperties(int64_t columns) {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  // Page by page: whole column chunks of large row groups would be what takes the most memory.
  properties.enable_buffered_stream();
  properties.set_buffer_size(std::clamp(kReadBytesOfAll / columns, kReadBytesMin, kReadBytesMax));
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

Result<std::shared_ptr<const ParquetFile>> ParquetFile::Open(std::string path) {
  std::shared_ptr<ParquetFile> file(new ParquetFile());
  file->path_ = std::move(path);
  BANQUET_RETURN_NOT_OK(AtTheDoor(file->path_, [&] { return file->ReadFooter(); }));
  return file;
}

Status ParquetFile::ReadFooter() {
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::io::ReadableFile> file, OpenForReading(path_));
  BANQUET_ASSIGN_OR_RETURN(stamp_, StampOf(*file, path_));
  if (stamp_.size == 0) return DataError("The Parquet file is empty (0 bytes): {}", path_);
  parquet::arrow::FileReaderBuilder builder;
  BANQUET_RETURN_NOT_OK(builder.Open(file, PageProperties(/*columns=*/1)));
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

Result<OpenParquet> ParquetFile::OpenReader(const ReadingForm& form) const {
  Result<std::shared_ptr<arrow::io::ReadableFile>> file = OpenForReading(path_);
  if (!file.ok()) {
    // It was there when the footer was read.
    if (FaultOf(file.status()) == Fault::kUser) return Changed(path_);
    return file.status();
  }
  BANQUET_RETURN_NOT_OK(CheckUnchanged(**file));
  return AtTheDoor(path_, [&]() -> Result<OpenParquet> {
    parquet::ArrowReaderProperties properties = parquet::default_arrow_reader_properties();
    properties.set_use_threads(false);
    properties.set_pre_buffer(false);
    properties.set_batch_size(form.batch_rows);
    for (const int leaf : form.dictionaries) properties.set_read_dictionary(leaf, true);
    if (form.int96_unit == Int96Unit::kMicros) {
      properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
    }
    parquet::arrow::FileReaderBuilder builder;
    BANQUET_RETURN_NOT_OK(
        builder.Open(*file, PageProperties(std::max<int64_t>(form.columns, 1)), metadata_));
    builder.properties(properties);
    OpenParquet open{.file = *file, .reader = nullptr};
    BANQUET_ASSIGN_OR_RETURN(open.reader, builder.Build());
    return open;
  });
}

Status ParquetFile::CheckUnchanged(const arrow::io::ReadableFile& file) const {
  BANQUET_ASSIGN_OR_RETURN(const FileStamp stamp, StampOf(file, path_));
  return stamp == stamp_ ? Status::OK() : Changed(path_);
}

}  // namespace banquet::parquet_store
