#include "banquet/exec/batch_for_test.h"

#include <algorithm>

#include "arrow/array/builder_primitive.h"
#include "arrow/builder.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

constexpr int kTestColumns = 2;  // Before the reserved ones.

std::shared_ptr<arrow::DataType> TimeType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

template <typename Builder, typename Get>
std::shared_ptr<arrow::Array> Column(Builder builder, const std::vector<TestRow>& rows, Get get) {
  for (const TestRow& row : rows) {
    const auto value = get(row);
    const Status status = value.has_value() ? builder.Append(*value) : builder.AppendNull();
    if (!status.ok()) return nullptr;
  }
  return builder.Finish().ValueOrDie();
}

class VectorReader final : public FragmentReader {
 public:
  explicit VectorReader(std::shared_ptr<arrow::RecordBatch> rows) : rows_(std::move(rows)) {}
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    return std::exchange(rows_, nullptr);
  }
  int64_t bytes_read() const override { return 0; }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
};

class VectorFragment final : public ScanFragment {
 public:
  VectorFragment(std::vector<TestRow> rows, int64_t first_row)
      : rows_(std::move(rows)), first_row_(first_row) {}
  int64_t rows() const override { return static_cast<int64_t>(rows_.size()); }
  int64_t first_row() const override { return first_row_; }
  std::optional<TimeBounds> time_bounds() const override {
    std::optional<TimeBounds> bounds;
    for (const TestRow& row : rows_) {
      if (!row.event_us.has_value()) continue;
      if (!bounds.has_value()) bounds = {.least_us = *row.event_us, .greatest_us = *row.event_us};
      bounds->least_us = std::min(bounds->least_us, *row.event_us);
      bounds->greatest_us = std::max(bounds->greatest_us, *row.event_us);
    }
    return bounds;
  }
  std::optional<NumberBounds> BoundsOf(int column) const override {
    std::optional<NumberBounds> bounds;
    for (const TestRow& row : rows_) {
      const std::optional<int64_t> value = column == 0 ? row.key : std::optional(row.value);
      if (!value.has_value()) return std::nullopt;
      if (!bounds.has_value()) bounds = {.least = *value, .greatest = *value};
      bounds->least = std::min(bounds->least, *value);
      bounds->greatest = std::max(bounds->greatest, *value);
    }
    return bounds;
  }
  Result<std::unique_ptr<FragmentReader>> Open(std::span<const int> columns) const override {
    std::shared_ptr<arrow::RecordBatch> rows = MakeTestBatch(rows_);
    std::vector<int> places(columns.begin(), columns.end());
    for (int i = kTestColumns; i < rows->num_columns(); ++i) places.push_back(i);
    BANQUET_ASSIGN_OR_RETURN(rows, rows->SelectColumns(places));
    return std::make_unique<VectorReader>(std::move(rows));
  }

 private:
  std::vector<TestRow> rows_;
  int64_t first_row_;
};

}  // namespace

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::int64()),
                        arrow::field(kEventTimeColumn, TimeType()),
                        arrow::field(kEventNanosColumn, arrow::uint16()),
                        arrow::field(kCreatedTimeColumn, TimeType())});
}

std::shared_ptr<arrow::RecordBatch> MakeTestBatch(const std::vector<TestRow>& rows) {
  auto* pool = arrow::default_memory_pool();
  std::vector<std::shared_ptr<arrow::Array>> columns = {
      Column(arrow::Int64Builder(pool), rows, [](const TestRow& row) { return row.key; }),
      Column(arrow::Int64Builder(pool), rows,
             [](const TestRow& row) { return std::optional(row.value); }),
      Column(arrow::TimestampBuilder(TimeType(), pool), rows,
             [](const TestRow& row) { return row.event_us; }),
      Column(arrow::UInt16Builder(pool), rows,
             [](const TestRow& row) { return std::optional(row.event_nanos); }),
      Column(arrow::TimestampBuilder(TimeType(), pool), rows,
             [](const TestRow& row) { return row.created_us; })};
  return arrow::RecordBatch::Make(TestSchema(), static_cast<int64_t>(rows.size()),
                                  std::move(columns));
}

Result<Batch> VectorSource::Next() {
  const size_t index = next_.fetch_add(1);
  if (index >= batches_.size()) return Batch{};
  return batches_[index];
}

std::vector<Batch> CutIntoBatches(const std::vector<TestRow>& rows, size_t batch_rows) {
  std::vector<Batch> batches;
  for (size_t begin = 0; begin < rows.size(); begin += batch_rows) {
    const size_t end = std::min(rows.size(), begin + batch_rows);
    batches.push_back({.rows = MakeTestBatch({rows.begin() + begin, rows.begin() + end}),
                       .first_row = static_cast<int64_t>(begin),
                       .selection = {}});
  }
  return batches;
}

Result<Scan> VectorOfflineStore::OpenScan(const ScanRequest&) {
  Scan scan;
  scan.schema = TestSchema();
  scan.columns = kTestColumns;
  scan.summary.rows = static_cast<int64_t>(rows_.size());
  for (size_t begin = 0; begin < rows_.size(); begin += fragment_rows_) {
    const size_t end = std::min(rows_.size(), begin + fragment_rows_);
    scan.fragments.push_back(std::make_unique<VectorFragment>(
        std::vector<TestRow>(rows_.begin() + begin, rows_.begin() + end),
        static_cast<int64_t>(begin)));
  }
  return scan;
}

}  // namespace banquet
