#pragma once
// One Parquet file: its footer, read once, and readers on it that know whether it is still the same
// file. The door where libparquet's exceptions and statuses become data errors.

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/offline/parquet/file_access.h"
#include "parquet/arrow/reader.h"
#include "parquet/exception.h"

namespace banquet::parquet_store {

// The data error for what libparquet says of a file; a failing read(2) is a remote one.
Status UnreadableFile(const std::string& path, const Status& status);

// Runs libparquet code that may throw or return a bare Arrow status.
template <typename Call>
auto AtTheDoor(const std::string& path, Call&& call) -> decltype(call()) {
  try {
    auto outcome = std::forward<Call>(call)();
    if (!outcome.ok()) return UnreadableFile(path, arrow::ToStatus(outcome));
    return outcome;
  } catch (const parquet::ParquetStatusException& e) {
    return UnreadableFile(path, e.status());
  } catch (const std::exception& e) {
    return UnreadableFile(path, Status::Invalid(e.what()));
  }
}

// The same for what is only a hint, an optional or a bool: nothing, or false, where the footer is
// damaged.
template <typename Call>
auto HintAtTheDoor(Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const std::exception&) {
    return {};
  }
}

// A top-level column of a file.
struct StoredColumn {
  std::shared_ptr<arrow::Field> field;
  std::vector<int> leaves;  // Indices of its physical columns.
  bool is_int96 = false;
};

// An open file and a reader on it. Used by one thread.
struct OpenParquet {
  std::unique_ptr<OpenFile> file;
  std::unique_ptr<parquet::arrow::FileReader> reader;
};

// How INT96 times are read; the rest of a file is read the same in both ways.
enum class Int96Unit { kNanos, kMicros };

// How a reader gives rows.
struct ReadingForm {
  Int96Unit int96_unit = Int96Unit::kNanos;
  int64_t batch_rows = 0;         // At most so many at a time.
  int64_t columns = 1;            // Physical ones that will be read.
  int64_t stored_bytes = 0;       // Of those in the row group that will be read.
  std::vector<int> dictionaries;  // Physical columns to give as dictionaries.
};

// The footer of a file. Immutable; shared by its fragments and their threads.
class ParquetFile {
 public:
  // A file that is missing, damaged or no Parquet file is an error that names it.
  static Result<std::shared_ptr<const ParquetFile>> Open(std::string path,
                                                         std::shared_ptr<const FileAccess> access);

  const std::string& path() const { return path_; }
  const parquet::FileMetaData& metadata() const { return *metadata_; }
  const std::vector<StoredColumn>& columns() const { return columns_; }
  std::vector<std::string> ColumnNames() const;
  // Its index, or -1. Two columns of one name are a data error.
  Result<int> FindColumn(const std::string& name) const;

  // As stored, of some physical columns of a row group.
  Result<int64_t> StoredBytes(int row_group, const std::vector<int>& leaves) const;

  // A reader with the shared footer; a data error if the file is not the one whose footer was read.
  Result<OpenParquet> OpenReader(const ReadingForm& form) const;
  // Whether an opened file was written to since the footer was read.
  Status CheckUnchanged(const OpenFile& file) const;

 private:
  ParquetFile(std::string path, std::shared_ptr<const FileAccess> access)
      : path_(std::move(path)), access_(std::move(access)) {}
  Status ReadFooter();

  const std::string path_;
  const std::shared_ptr<const FileAccess> access_;
  std::string version_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::vector<StoredColumn> columns_;
};

}  // namespace banquet::parquet_store
