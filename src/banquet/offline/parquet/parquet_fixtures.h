#pragma once
// What the tests of this folder share: temporary folders, small Parquet files from JSON, whole
// scans.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow/array/array_base.h"
#include "arrow/chunked_array.h"
#include "arrow/io/file.h"
#include "arrow/json/from_string.h"
#include "arrow/record_batch.h"
#include "arrow/table.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/offline/parquet/parquet_store.h"
#include "parquet/arrow/writer.h"
#include "parquet/properties.h"

namespace banquet::parquet_store {

// A folder of its own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "banquet-parquet-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  // A path inside; the folders above it are made.
  std::string Make(const std::string& name) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    return path.string();
  }
  std::string MakeFolder(const std::string& name) const {
    std::filesystem::create_directories(std::filesystem::path(path_) / name);
    return Make(name);
  }
  std::string WriteText(const std::string& name, const std::string& content) const {
    std::ofstream(Make(name), std::ios::binary) << content;
    return Make(name);
  }

 private:
  std::string path_;
};

struct JsonColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

struct WriteOptions {
  int64_t row_group_rows = 1 << 20;
  bool int96 = false;
  bool statistics = true;
  bool arrow_schema = true;
  bool dictionaries = true;
};

inline std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  Result<std::shared_ptr<arrow::Array>> array = arrow::json::ArrayFromJSONString(type, json);
  EXPECT_TRUE(array.ok()) << array.status().ToString();
  return *array;
}

inline void WriteParquet(const std::string& path, const arrow::Table& table,
                         const WriteOptions& options = {}) {
  parquet::WriterProperties::Builder properties;
  if (!options.statistics) properties.disable_statistics();
  if (!options.dictionaries) properties.disable_dictionary();
  properties.version(parquet::ParquetVersion::PARQUET_2_6);
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (options.arrow_schema) arrow_properties.store_schema();
  if (options.int96) arrow_properties.enable_deprecated_int96_timestamps();
  ASSERT_OK_AND_ASSIGN(auto file, arrow::io::FileOutputStream::Open(path));
  ASSERT_OK(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file,
                                       options.row_group_rows, properties.build(),
                                       arrow_properties.build()));
  ASSERT_OK(file->Close());
}

inline void WriteParquet(const std::string& path, const std::vector<JsonColumn>& columns,
                         const WriteOptions& options = {}) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const JsonColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(FromJson(column.type, column.json));
  }
  WriteParquet(path, *arrow::Table::Make(arrow::schema(fields), arrays), options);
}

inline std::shared_ptr<arrow::DataType> Micros(const std::string& zone = "UTC") {
  return arrow::timestamp(arrow::TimeUnit::MICRO, zone);
}

// Rows of a source that the tests care little about: id and event_timestamp = 1970, id
// microseconds.
inline void WriteIds(const std::string& path, const std::string& ids,
                     const WriteOptions& options = {}) {
  WriteParquet(path, {{"id", arrow::int64(), ids}, {"event_timestamp", Micros(), ids}}, options);
}

inline constexpr TimeWindow kAlways{.start_us = -62135596800000000, .end_us = 253402300799999999};

inline ScanRequest RequestOf(const std::string& uri, std::vector<std::string> columns = {"id"}) {
  ScanRequest request;
  request.source.name = "trips";
  request.source.type = SourceType::kFile;
  request.source.uri = uri;
  request.source.timestamp_field = "event_timestamp";
  request.columns = std::move(columns);
  request.window = kAlways;
  return request;
}

inline Result<Scan> OpenScan(const ScanRequest& request, const std::string& repo_path = "/") {
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<OfflineStore> store,
                           MakeStore(ConfigNode{}, {.repo_path = repo_path}));
  return store->OpenScan(request);
}

// All rows of a scan, and that its fragments keep their promises.
inline Result<std::shared_ptr<arrow::Table>> ReadScan(const Scan& scan) {
  arrow::RecordBatchVector batches;
  int64_t least_row = 0;
  for (const std::unique_ptr<ScanFragment>& fragment : scan.fragments) {
    EXPECT_GE(fragment->first_row(), least_row);
    BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<FragmentReader> reader,
                             fragment->Open(scan.AllColumns()));
    EXPECT_EQ(reader->bytes_read(), 0);
    int64_t rows = 0;
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> batch, reader->Next());
      if (batch == nullptr) break;
      rows += batch->num_rows();
      BANQUET_RETURN_NOT_OK(batch->ValidateFull());
      batches.push_back(std::move(batch));
    }
    EXPECT_EQ(rows, fragment->rows());
    least_row = fragment->first_row() + rows;
  }
  return arrow::Table::FromRecordBatches(scan.schema, batches);
}

inline Result<std::shared_ptr<arrow::Table>> ReadSource(const ScanRequest& request,
                                                        const std::string& repo_path = "/") {
  BANQUET_ASSIGN_OR_RETURN(const Scan scan, OpenScan(request, repo_path));
  return ReadScan(scan);
}

// The column has this type and these values.
inline void ExpectColumn(const arrow::Table& table, const std::string& name,
                         const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  const std::shared_ptr<arrow::ChunkedArray> column = table.GetColumnByName(name);
  ASSERT_NE(column, nullptr) << name;
  EXPECT_TRUE(column->type()->Equals(*type)) << name << " is " << column->type()->ToString();
  const arrow::ChunkedArray expected(arrow::ArrayVector{FromJson(type, json)});
  EXPECT_TRUE(column->Equals(expected)) << name << " is " << column->ToString();
}

// The ids that a source gives, as JSON.
inline void ExpectIds(const ScanRequest& request, const std::string& json,
                      const std::string& repo_path = "/") {
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<arrow::Table> table, ReadSource(request, repo_path));
  ExpectColumn(*table, "id", arrow::int64(), json);
}

}  // namespace banquet::parquet_store
