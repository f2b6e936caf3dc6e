#include "banquet/offline/parquet/row_group_fragment.h"

#include <algorithm>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/array/data.h"
#include "arrow/io/file.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/int_util.h"
#include "banquet/offline/column_types.h"
#include "banquet/offline/parquet/partition_columns.h"
#include "banquet/offline/parquet/window_pruning.h"
#include "banquet/offline/time_values.h"
#include "parquet/metadata.h"
#include "parquet/schema.h"
#include "parquet/size_statistics.h"

namespace banquet::parquet_store {
namespace {

// Arrow gives the indices of a dictionary as the file has them, whatever they point to.
Status CheckDictionaryIndices(const arrow::ArrayData& data) {
  if (data.dictionary != nullptr) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*data.type);
    arrow::ArrayData indices = data;
    indices.type = type.index_type();
    indices.dictionary = nullptr;
    BANQUET_RETURN_NOT_OK(arrow::internal::CheckIndexBounds(
        arrow::ArraySpan(indices), static_cast<uint64_t>(data.dictionary->length)));
    BANQUET_RETURN_NOT_OK(CheckDictionaryIndices(*data.dictionary));
  }
  for (const auto& child : data.child_data) BANQUET_RETURN_NOT_OK(CheckDictionaryIndices(*child));
  return Status::OK();
}

// Bytes of the chunk's values in memory; what its pages take may be a thousandth of that. nullopt:
// the footer does not say how long its texts are.
std::optional<double> DecodedBytes(const parquet::ColumnChunkMetaData& chunk,
                                   const parquet::ColumnDescriptor& column) {
  const auto values = static_cast<double>(chunk.num_values());
  switch (column.physical_type()) {
    case parquet::Type::BOOLEAN:
      return values / 8;
    case parquet::Type::INT32:
    case parquet::Type::FLOAT:
      return 4 * values;
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return column.type_length() * values;
    case parquet::Type::BYTE_ARRAY: {
      const auto sizes = chunk.size_statistics();
      if (sizes != nullptr && sizes->unencoded_byte_array_data_bytes.has_value()) {
        return static_cast<double>(*sizes->unencoded_byte_array_data_bytes) + 4 * values;
      }
      if (!chunk.has_dictionary_page()) return 4 * values;  // The pages hold every text.
      return std::nullopt;
    }
    default:
      return 8 * values;
  }
}

// Some columns of one row group, batch by batch. Used by one thread.
class ColumnStream {
 public:
  static Result<std::unique_ptr<ColumnStream>> Open(const ParquetFile& file, int row_group,
                                                    const std::vector<int>& columns,
                                                    ReadingForm form) {
    auto stream = std::make_unique<ColumnStream>();
    std::vector<int> leaves;
    for (const int column : columns) {
      const std::vector<int>& own = file.columns()[column].leaves;
      leaves.insert(leaves.end(), own.begin(), own.end());
    }
    form.columns = static_cast<int64_t>(leaves.size());
    BANQUET_ASSIGN_OR_RETURN(form.stored_bytes, file.StoredBytes(row_group, leaves));
    BANQUET_ASSIGN_OR_RETURN(stream->open_, file.OpenReader(form));
    stream->path_ = file.path();
    stream->columns_ = columns.size();
    using Batches = Result<std::unique_ptr<arrow::RecordBatchReader>>;
    BANQUET_ASSIGN_OR_RETURN(stream->batches_, AtTheDoor(file.path(), [&]() -> Batches {
                               return stream->open_.reader->GetRecordBatchReader({row_group},
                                                                                 leaves);
                             }));
    return stream;
  }

  // Null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    return AtTheDoor(path_, [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> batch, batches_->Next());
      if (batch == nullptr) return batch;
      BANQUET_RETURN_NOT_OK(batch->Validate());
      for (const auto& column : batch->columns()) {
        BANQUET_RETURN_NOT_OK(CheckDictionaryIndices(*column->data()));
      }
      if (static_cast<size_t>(batch->num_columns()) != columns_) {
        return Status::Invalid("it gives ", batch->num_columns(), " columns instead of ", columns_);
      }
      return batch;
    });
  }

  const OpenFile& file() const { return *open_.file; }

 private:
  std::string path_;
  size_t columns_ = 0;
  OpenParquet open_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // Borrows open_.reader.
};

class RowGroupReader final : public FragmentReader {
 public:
  RowGroupReader(std::shared_ptr<const FileScan> scan, const RowGroupPlace& place)
      : scan_(std::move(scan)), place_(place) {}

  Status Open() {
    const ParquetFile& file = *scan_->file;
    BANQUET_RETURN_NOT_OK(AtTheDoor(file.path(), [&] { return ReadSizes(); }));
    const ReadingForm form{.int96_unit = Int96Unit::kNanos,
                           .batch_rows = batch_rows_,
                           .dictionaries = DictionaryLeaves()};
    BANQUET_ASSIGN_OR_RETURN(stream_,
                             ColumnStream::Open(file, place_.row_group, scan_->projection, form));
    std::vector<int> int96;
    const auto add_int96 = [&](const ColumnOrigin& time) {
      if (!time.is_int96) return;
      int96_places_.push_back(time.projected);
      int96.push_back(scan_->projection[time.projected]);
    };
    add_int96(scan_->event);
    if (scan_->created.has_value() && scan_->created->projected != scan_->event.projected) {
      add_int96(*scan_->created);
    }
    if (int96.empty()) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(micros_stream_, ColumnStream::Open(file, place_.row_group, int96,
                                                                {.int96_unit = Int96Unit::kMicros,
                                                                 .batch_rows = form.batch_rows}));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (ended_) return nullptr;
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> stored, stream_->Next());
    bytes_read_ = stored_bytes_;
    if (stored == nullptr) {
      ended_ = true;
      BANQUET_RETURN_NOT_OK(CheckEnd());
      return nullptr;
    }
    BANQUET_RETURN_NOT_OK(NextMicros(stored->num_rows()));
    arrow::ArrayVector columns;
    for (const ColumnOrigin& origin : scan_->columns) {
      BANQUET_ASSIGN_OR_RETURN(columns.emplace_back(), Column(origin, *stored));
    }
    BANQUET_RETURN_NOT_OK(AddTimes(scan_->event, scan_->event_nanos, *stored, &columns));
    if (scan_->created.has_value()) {
      BANQUET_RETURN_NOT_OK(AddTimes(*scan_->created, scan_->created_nanos, *stored, &columns));
    }
    rows_ += stored->num_rows();
    return arrow::RecordBatch::Make(scan_->schema, stored->num_rows(), std::move(columns));
  }

  int64_t bytes_read() const override { return bytes_read_; }

 private:
  std::vector<int> DictionaryLeaves() const {
    std::vector<int> leaves;
    for (const ColumnOrigin& origin : scan_->columns) {
      if (origin.type->id() != arrow::Type::DICTIONARY) continue;
      leaves.push_back(scan_->file->columns()[scan_->projection[origin.projected]].leaves.front());
    }
    return leaves;
  }

  // What the footer says of the column chunks that are read.
  Status ReadSizes() {
    const auto row_group = scan_->file->metadata().RowGroup(place_.row_group);
    const std::vector<int> dictionaries = DictionaryLeaves();
    double bytes = 0;
    bool is_known = true;
    for (const int column : scan_->projection) {
      for (const int leaf : scan_->file->columns()[column].leaves) {
        const auto chunk = row_group->ColumnChunk(leaf);
        stored_bytes_ += chunk->total_compressed_size();
        const bool as_dictionary = std::ranges::find(dictionaries, leaf) != dictionaries.end();
        const std::optional<double> decoded =
            as_dictionary ? std::optional(4.0 * static_cast<double>(chunk->num_values()))
                          : DecodedBytes(*chunk, *scan_->file->metadata().schema()->Column(leaf));
        is_known = is_known && decoded.has_value();
        bytes += std::max<double>(decoded.value_or(0),
                                  as_dictionary ? 0.0 : double(chunk->total_uncompressed_size()));
      }
    }
    const double row_bytes =
        std::max(1.0, bytes / static_cast<double>(std::max<int64_t>(row_group->num_rows(), 1)));
    batch_rows_ = std::clamp<int64_t>(static_cast<int64_t>(double(kBatchBytesMax) / row_bytes), 1,
                                      is_known ? kBatchRowsMax : kUnknownBatchRowsMax);
    return Status::OK();
  }

  Status CheckEnd() const {
    BANQUET_RETURN_NOT_OK(scan_->file->CheckUnchanged(stream_->file()));
    const int64_t promised = scan_->file->metadata().RowGroup(place_.row_group)->num_rows();
    if (rows_ == promised) return Status::OK();
    return DataError("The Parquet file is damaged: row group {} has {} rows and promises {}: {}",
                     place_.row_group, rows_, promised, scan_->file->path());
  }

  // Makes micros_ the rows that belong to the next `rows` of the main stream.
  Status NextMicros(int64_t rows) {
    if (micros_stream_ == nullptr) return Status::OK();
    if (micros_rest_ == nullptr || micros_rest_->num_rows() == 0) {
      BANQUET_ASSIGN_OR_RETURN(micros_rest_, micros_stream_->Next());
    }
    if (micros_rest_ == nullptr || micros_rest_->num_rows() < rows) {
      return DataError("The Parquet file is damaged: its INT96 times end early: {}",
                       scan_->file->path());
    }
    micros_ = micros_rest_->Slice(0, rows);
    micros_rest_ = micros_rest_->Slice(rows);
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Stored(const ColumnOrigin& origin,
                                               const arrow::RecordBatch& stored) const {
    if (origin.projected >= 0) return stored.column(origin.projected);
    return PartitionArray(origin.partition, origin.type, stored.num_rows());
  }

  Result<std::shared_ptr<arrow::Array>> Column(const ColumnOrigin& origin,
                                               const arrow::RecordBatch& stored) const {
    BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array, Stored(origin, stored));
    if (array->type()->Equals(*origin.type)) return array;
    Result<std::shared_ptr<arrow::Array>> converted = offline::ConvertArray(array, origin.type);
    if (converted.ok()) return converted;
    return DataError(
        "A column cannot be read as the {} that the source's files share: {}, file {}: {}",
        origin.type->ToString(), origin.name, scan_->file->path(), converted.status().message());
  }

  Status AddTimes(const ColumnOrigin& origin, bool with_nanos, const arrow::RecordBatch& stored,
                  arrow::ArrayVector* columns) const {
    const offline::ValueOrigin place{.column = origin.name,
                                     .place = "file " + scan_->file->path(),
                                     .first_row = place_.first_row_in_file + rows_};
    BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array, Stored(origin, stored));
    offline::TimeValues times;
    if (origin.is_int96) {
      const size_t at = int96_places_.front() == origin.projected ? 0 : 1;
      BANQUET_ASSIGN_OR_RETURN(times, offline::NormalizeInt96(micros_->column(static_cast<int>(at)),
                                                              *array, with_nanos, place));
    } else {
      BANQUET_ASSIGN_OR_RETURN(times, offline::NormalizeTimes(array, with_nanos, place));
    }
    columns->push_back(std::move(times.us));
    if (with_nanos) columns->push_back(std::move(times.nanos));
    return Status::OK();
  }

  const std::shared_ptr<const FileScan> scan_;
  const RowGroupPlace place_;
  std::unique_ptr<ColumnStream> stream_;
  std::unique_ptr<ColumnStream> micros_stream_;  // The INT96 time columns again, or null.
  std::vector<int> int96_places_;                // Their places in the projection.
  std::shared_ptr<arrow::RecordBatch> micros_;
  std::shared_ptr<arrow::RecordBatch> micros_rest_;
  int64_t rows_ = 0;
  int64_t batch_rows_ = 1;
  int64_t stored_bytes_ = 0;
  int64_t bytes_read_ = 0;  // The chunks are fetched page by page; all of them by the end.
  bool ended_ = false;
};

// The scan of some of its requested columns.
std::shared_ptr<const FileScan> Narrowed(const FileScan& whole, std::span<const int> columns) {
  auto scan = std::make_shared<FileScan>();
  scan->file = whole.file;
  const auto keep = [&](ColumnOrigin origin) {
    if (origin.projected < 0) return origin;
    const int stored = whole.projection[origin.projected];
    const auto place = std::ranges::find(scan->projection, stored);
    origin.projected = static_cast<int>(place - scan->projection.begin());
    if (place == scan->projection.end()) scan->projection.push_back(stored);
    return origin;
  };
  arrow::FieldVector fields;
  for (const int column : columns) {
    scan->columns.push_back(keep(whole.columns[static_cast<size_t>(column)]));
    fields.push_back(whole.schema->field(column));
  }
  const auto reserved = static_cast<int>(whole.columns.size());
  for (int i = reserved; i < whole.schema->num_fields(); ++i) {
    fields.push_back(whole.schema->field(i));
  }
  scan->schema = arrow::schema(std::move(fields));
  scan->event = keep(whole.event);
  scan->event_nanos = whole.event_nanos;
  if (whole.created.has_value()) scan->created = keep(*whole.created);
  scan->created_nanos = whole.created_nanos;
  return scan;
}

class RowGroupFragment final : public ScanFragment {
 public:
  RowGroupFragment(std::shared_ptr<const FileScan> scan, const RowGroupPlace& place)
      : scan_(std::move(scan)),
        place_(place),
        rows_(scan_->file->metadata().RowGroup(place.row_group)->num_rows()) {}

  int64_t rows() const override { return rows_; }
  int64_t first_row() const override { return place_.first_row; }

  std::optional<TimeBounds> time_bounds() const override {
    const std::optional<int> leaf = LeafOf(scan_->event);
    if (!leaf.has_value()) return std::nullopt;
    const parquet::ColumnDescriptor& column = *Column(*leaf);
    if (!HasTimeBounds(column)) return std::nullopt;
    return HintAtTheDoor([&] { return TimeBoundsOf(*RowGroup()->ColumnChunk(*leaf), column); });
  }

  std::optional<NumberBounds> BoundsOf(int column) const override {
    const std::optional<int> leaf = LeafOf(scan_->columns[static_cast<size_t>(column)]);
    if (!leaf.has_value()) return std::nullopt;
    return HintAtTheDoor(
        [&] { return NumberBoundsOf(*RowGroup()->ColumnChunk(*leaf), *Column(*leaf)); });
  }

  Result<std::unique_ptr<FragmentReader>> Open(std::span<const int> columns) const override {
    auto reader = std::make_unique<RowGroupReader>(Narrowed(*scan_, columns), place_);
    BANQUET_RETURN_NOT_OK(reader->Open());
    return reader;
  }

 private:
  std::unique_ptr<parquet::RowGroupMetaData> RowGroup() const {
    return scan_->file->metadata().RowGroup(place_.row_group);
  }
  const parquet::ColumnDescriptor* Column(int leaf) const {
    return scan_->file->metadata().schema()->Column(leaf);
  }
  // The physical column behind a column of the scan; none where a folder's name says it, or several
  // do.
  std::optional<int> LeafOf(const ColumnOrigin& origin) const {
    if (origin.projected < 0) return std::nullopt;
    const std::vector<int>& leaves =
        scan_->file->columns()[scan_->projection[origin.projected]].leaves;
    return leaves.size() == 1 ? std::optional(leaves.front()) : std::nullopt;
  }

  const std::shared_ptr<const FileScan> scan_;
  const RowGroupPlace place_;
  const int64_t rows_;
};

}  // namespace

std::unique_ptr<ScanFragment> MakeRowGroupFragment(std::shared_ptr<const FileScan> scan,
                                                   const RowGroupPlace& place) {
  return std::make_unique<RowGroupFragment>(std::move(scan), place);
}

}  // namespace banquet::parquet_store
