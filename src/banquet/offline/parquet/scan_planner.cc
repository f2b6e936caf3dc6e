#include "banquet/offline/parquet/scan_planner.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "arrow/io/interfaces.h"
#include "arrow/type.h"
#include "arrow/util/parallel.h"
#include "banquet/base/option_table.h"
#include "banquet/offline/column_types.h"
#include "banquet/offline/parquet/parquet_file.h"
#include "banquet/offline/parquet/partition_columns.h"
#include "banquet/offline/parquet/row_group_fragment.h"
#include "banquet/offline/parquet/source_files.h"
#include "banquet/offline/parquet/window_pruning.h"
#include "banquet/offline/time_values.h"
#include "parquet/metadata.h"

namespace banquet::parquet_store {
namespace {

// The column that a time field of the source is read from: as Feast, through the field mapping.
std::string TimeColumnOf(const DataSource& source, const std::string& name) {
  std::string column = name;
  for (const auto& [from, to] : source.field_mapping) {
    if (to == name) column = from;
  }
  return column;
}

// A file of the source and its footer.
struct OpenedFile {
  SourceFile place;
  std::shared_ptr<const ParquetFile> file;
};

// One column over all files.
struct SourceColumn {
  std::string name;
  std::vector<int> stored;                // Per file: index into columns(), or -1 for a partition.
  std::shared_ptr<arrow::DataType> type;  // Plain, shared by all files; of times: null.
};

bool ReadAsNanos(const OpenedFile& opened, int stored) {
  if (stored < 0) return true;  // A folder's name; text, if it can be a time at all.
  const StoredColumn& column = opened.file->columns()[stored];
  return column.is_int96 || offline::MayHaveNanos(*offline::PlainTypeOf(column.field->type()));
}

// Of a column's data pages, as far as the footer says how they are kept; it need not.
bool HasDictionaryPagesOnly(const parquet::FileMetaData& metadata, int leaf) {
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto row_group = metadata.RowGroup(group);
    const auto chunk = row_group->ColumnChunk(leaf);
    if (!chunk->has_dictionary_page() || chunk->encoding_stats().empty()) return false;
    for (const parquet::PageEncodingStats& pages : chunk->encoding_stats()) {
      if (pages.page_type == parquet::PageType::DICTIONARY_PAGE) continue;
      if (pages.encoding != parquet::Encoding::RLE_DICTIONARY &&
          pages.encoding != parquet::Encoding::PLAIN_DICTIONARY) {
        return false;
      }
    }
  }
  return metadata.num_row_groups() > 0;
}

// Plans one scan. Used once.
class Planner {
 public:
  explicit Planner(const ScanRequest& request) : request_(request) {}

  Result<Scan> Plan(SourceStores* stores) {
    BANQUET_RETURN_NOT_OK(CheckRequest());
    BANQUET_RETURN_NOT_OK(OpenFiles(stores));
    for (const std::string& name : request_.columns) {
      BANQUET_ASSIGN_OR_RETURN(SourceColumn column, FindColumn(name));
      BANQUET_RETURN_NOT_OK(UnifyType(&column));
      if (request_.keep_dictionaries && IsDictionaryInAllFiles(column)) {
        column.type = arrow::dictionary(arrow::int32(), column.type);
      }
      columns_.push_back(std::move(column));
    }
    BANQUET_ASSIGN_OR_RETURN(event_, FindTime(request_.source.timestamp_field));
    if (!request_.source.created_timestamp_column.empty()) {
      BANQUET_ASSIGN_OR_RETURN(created_, FindTime(request_.source.created_timestamp_column));
    }
    MakeSchema();
    for (size_t i = 0; i < files_.size(); ++i) {
      BANQUET_RETURN_NOT_OK(AtTheDoor(files_[i].place.path, [&] { return AddFragments(i); }));
    }
    DescribePushdown();
    return std::move(scan_);
  }

 private:
  Status CheckRequest() const {
    const DataSource& source = request_.source;
    if (source.type != SourceType::kFile) {
      return UserError("The offline store reads files; data source {} is a {}", source.name,
                       NameOf(source.type));
    }
    if (source.timestamp_field.empty()) {
      return UserError("The data source names no timestamp_field; set it and run `feast apply`: {}",
                       source.name);
    }
    for (const std::string& name : request_.columns) {
      for (const char* reserved :
           {kEventTimeColumn, kEventNanosColumn, kCreatedTimeColumn, kCreatedNanosColumn}) {
        if (name == reserved) {
          return UserError("A column has a name that is reserved; rename it in the source: {}",
                           name);
        }
      }
    }
    return Status::OK();
  }

  // Files that the partition column excludes are not opened. If it excludes all, the first one is,
  // for the types of its columns.
  Status OpenFiles(SourceStores* stores) {
    BANQUET_ASSIGN_OR_RETURN(const std::string path,
                             ResolvedPath(request_.source, stores->repo_path()));
    const SourceAccess access = stores->AccessOf(request_.source, path);
    BANQUET_ASSIGN_OR_RETURN(std::vector<SourceFile> found,
                             FindSourceFiles(request_.source, path, access.directory.get()));
    partition_types_ = InferPartitionTypes(found);
    std::vector<SourceFile> kept;
    for (SourceFile& file : found) {
      const PartitionValue* day = FindPartition(file, request_.source.date_partition_column);
      prunes_files_ = prunes_files_ || day != nullptr;
      if (day == nullptr || DayTouchesWindow(day->value, request_.window)) {
        kept.push_back(std::move(file));
      } else {
        ++scan_.summary.files_pruned;
        if (spare_.path.empty()) spare_ = std::move(file);
      }
    }
    only_spare_ = kept.empty();
    if (only_spare_) kept.push_back(std::move(spare_));
    return ReadFooters(std::move(kept), access.files);
  }

  // Those of objects several at once: each is a request or two that are waited for.
  Status ReadFooters(std::vector<SourceFile> places,
                     const std::shared_ptr<const FileAccess>& access) {
    std::vector<std::shared_ptr<const ParquetFile>> read(places.size());
    BANQUET_RETURN_NOT_OK(arrow::internal::OptionalParallelFor(
        access->is_remote(), static_cast<int>(places.size()),
        [&](int i) { return ParquetFile::Open(places[i].path, access).Value(&read[i]); },
        arrow::io::default_io_context().executor()));
    for (size_t i = 0; i < places.size(); ++i)
      files_.push_back({std::move(places[i]), std::move(read[i])});
    return Status::OK();
  }

  Result<SourceColumn> FindColumn(const std::string& name) const {
    SourceColumn column{.name = name, .stored = {}, .type = nullptr};
    bool any_stored = false;
    for (const OpenedFile& opened : files_) {
      BANQUET_ASSIGN_OR_RETURN(const int stored, opened.file->FindColumn(name));
      column.stored.push_back(stored);
      any_stored = any_stored || stored >= 0;
    }
    for (size_t i = 0; i < files_.size(); ++i) {
      if (column.stored[i] >= 0) continue;
      if (!any_stored && FindPartition(files_[i].place, name) != nullptr) continue;
      std::vector<std::string> names = files_[i].file->ColumnNames();
      for (const PartitionValue& partition : files_[i].place.partitions) {
        names.push_back(partition.key);
      }
      return DataError("A column is missing in the source: {}, file {}.{}", name,
                       files_[i].place.path, DidYouMean(name, names));
    }
    return column;
  }

  std::shared_ptr<arrow::DataType> TypeIn(const SourceColumn& column, size_t file) const {
    if (column.stored[file] < 0) return partition_types_.at(column.name);
    return offline::PlainTypeOf(files_[file].file->columns()[column.stored[file]].field->type());
  }

  Status UnifyType(SourceColumn* column) const {
    size_t typed_by = 0;  // The last file that changed the type, for the message.
    for (size_t i = 0; i < files_.size(); ++i) {
      const std::shared_ptr<arrow::DataType> own = TypeIn(*column, i);
      const std::shared_ptr<arrow::DataType> unified =
          column->type == nullptr ? own : offline::UnifiedType(column->type, own);
      if (unified == nullptr) {
        return DataError(
            "A column has types in two files that have no type in common; write it with one type: "
            "column {} is {} in {} and {} in {}",
            column->name, column->type->ToString(), files_[typed_by].place.path, own->ToString(),
            files_[i].place.path);
      }
      if (column->type == nullptr || !unified->Equals(*column->type)) typed_by = i;
      column->type = unified;
    }
    return Status::OK();
  }

  // Whether every file keeps the column as text or bytes and every page of it refers to a
  // dictionary.
  bool IsDictionaryInAllFiles(const SourceColumn& column) const {
    if (column.type->id() != arrow::Type::STRING && column.type->id() != arrow::Type::BINARY) {
      return false;
    }
    for (size_t i = 0; i < files_.size(); ++i) {
      if (column.stored[i] < 0) return false;
      const StoredColumn& stored = files_[i].file->columns()[column.stored[i]];
      if (!stored.field->type()->Equals(*column.type) || stored.leaves.size() != 1) return false;
      const parquet::FileMetaData& metadata = files_[i].file->metadata();
      const int leaf = stored.leaves.front();
      if (!HintAtTheDoor([&] { return HasDictionaryPagesOnly(metadata, leaf); })) return false;
    }
    return true;
  }

  Result<SourceColumn> FindTime(const std::string& field) const {
    BANQUET_ASSIGN_OR_RETURN(SourceColumn column, FindColumn(TimeColumnOf(request_.source, field)));
    for (size_t i = 0; i < files_.size(); ++i) {
      BANQUET_RETURN_NOT_OK(offline::CheckTimeType(
          *TypeIn(column, i),
          {.column = column.name, .place = "file " + files_[i].place.path, .first_row = 0}));
    }
    return column;
  }

  bool KeepsNanos(const SourceColumn& column) const {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (ReadAsNanos(files_[i], column.stored[i])) return true;
    }
    return false;
  }

  void MakeSchema() {
    arrow::FieldVector fields;
    for (const SourceColumn& column : columns_) {
      fields.push_back(arrow::field(column.name, column.type));
    }
    const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    event_nanos_ = KeepsNanos(event_);
    fields.push_back(arrow::field(kEventTimeColumn, time));
    if (event_nanos_) fields.push_back(arrow::field(kEventNanosColumn, arrow::uint16()));
    if (created_.has_value()) {
      created_nanos_ = KeepsNanos(*created_);
      fields.push_back(arrow::field(kCreatedTimeColumn, time));
      if (created_nanos_) fields.push_back(arrow::field(kCreatedNanosColumn, arrow::uint16()));
    }
    scan_.schema = arrow::schema(std::move(fields));
    scan_.columns = static_cast<int>(columns_.size());
  }

  // Where a file has the column; a stored one becomes part of the file's projection.
  ColumnOrigin OriginIn(const SourceColumn& column, size_t file, FileScan* scan) const {
    ColumnOrigin origin{.name = column.name};
    const int stored = column.stored[file];
    if (stored < 0) {
      origin.partition = FindPartition(files_[file].place, column.name)->value;
      origin.type = partition_types_.at(column.name);
      return origin;
    }
    const auto place = std::ranges::find(scan->projection, stored);
    origin.projected = static_cast<int>(place - scan->projection.begin());
    if (place == scan->projection.end()) scan->projection.push_back(stored);
    origin.type = column.type;
    return origin;
  }

  ColumnOrigin TimeIn(const SourceColumn& column, size_t file, FileScan* scan) const {
    ColumnOrigin origin = OriginIn(column, file, scan);
    origin.is_int96 =
        origin.projected >= 0 && files_[file].file->columns()[column.stored[file]].is_int96;
    return origin;
  }

  Status AddFragments(size_t index) {
    if (only_spare_) return Status::OK();
    const std::shared_ptr<const ParquetFile>& file = files_[index].file;
    if (file->metadata().num_rows() > kScanRowsMax - scan_.summary.rows) {
      return DataError("The source has more rows than can be told apart (2^48): file {}",
                       file->path());
    }
    auto scan = std::make_shared<FileScan>();
    scan->file = file;
    scan->schema = scan_.schema;
    for (const SourceColumn& column : columns_) {
      scan->columns.push_back(OriginIn(column, index, scan.get()));
    }
    scan->event = TimeIn(event_, index, scan.get());
    scan->event_nanos = event_nanos_;
    if (created_.has_value()) scan->created = TimeIn(*created_, index, scan.get());
    scan->created_nanos = created_nanos_;

    const parquet::FileMetaData& metadata = file->metadata();
    ScanSummary::File summary{
        .path = file->path(), .rows = metadata.num_rows(), .row_groups = metadata.num_row_groups()};
    RowGroupPlace place{.row_group = 0, .first_row = scan_.summary.rows, .first_row_in_file = 0};
    for (; place.row_group < metadata.num_row_groups(); ++place.row_group) {
      const std::unique_ptr<parquet::RowGroupMetaData> group = metadata.RowGroup(place.row_group);
      if (IsExcluded(*file, *group, event_.stored[index])) {
        ++summary.row_groups_pruned;
        scan_.summary.rows_pruned += group->num_rows();
      } else if (group->num_rows() > 0) {
        scan_.fragments.push_back(MakeRowGroupFragment(scan, place));
      }
      place.first_row += group->num_rows();
      place.first_row_in_file += group->num_rows();
    }
    scan_.summary.rows += metadata.num_rows();
    scan_.summary.files.push_back(std::move(summary));
    return Status::OK();
  }

  bool IsExcluded(const ParquetFile& file, const parquet::RowGroupMetaData& group, int event) {
    if (event < 0 || file.columns()[event].leaves.size() != 1) return false;
    const int leaf = file.columns()[event].leaves.front();
    const parquet::ColumnDescriptor& column = *file.metadata().schema()->Column(leaf);
    if (!HasTimeBounds(column)) return false;
    prunes_row_groups_ = true;
    const std::optional<TimeBounds> bounds = TimeBoundsOf(*group.ColumnChunk(leaf), column);
    return bounds.has_value() && Excludes(request_.window, *bounds);
  }

  void DescribePushdown() {
    std::vector<std::string> names = request_.columns;
    const auto add = [&](const std::string& name) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    add(event_.name);
    if (created_.has_value()) add(created_->name);
    std::string text = "columns: ";
    for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + names[i];
    scan_.summary.pushed_down.push_back(std::move(text));
    if (prunes_files_) {
      scan_.summary.pushed_down.push_back("files by " + request_.source.date_partition_column);
    }
    if (prunes_row_groups_) scan_.summary.pushed_down.push_back("row groups by " + event_.name);
  }

  const ScanRequest& request_;
  std::vector<OpenedFile> files_;
  SourceFile spare_;
  bool only_spare_ = false;
  PartitionTypes partition_types_;
  std::vector<SourceColumn> columns_;
  SourceColumn event_;
  std::optional<SourceColumn> created_;
  bool event_nanos_ = false;
  bool created_nanos_ = false;
  bool prunes_files_ = false;
  bool prunes_row_groups_ = false;
  Scan scan_;
};

}  // namespace

Result<Scan> PlanScan(const ScanRequest& request, SourceStores* stores) {
  return Planner(request).Plan(stores);
}

}  // namespace banquet::parquet_store
