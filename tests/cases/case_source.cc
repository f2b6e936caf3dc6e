#include "tests/cases/case_source.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "arrow/array/builder_binary.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/time_text.h"

namespace banquet {
namespace {

constexpr int64_t kFragmentRows = 3;

class SliceReader final : public FragmentReader {
 public:
  explicit SliceReader(std::shared_ptr<arrow::RecordBatch> rows) : rows_(std::move(rows)) {}
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    return std::exchange(rows_, nullptr);
  }
  int64_t bytes_read() const override { return 0; }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
};

class SliceFragment final : public ScanFragment {
 public:
  SliceFragment(std::shared_ptr<arrow::RecordBatch> rows, int64_t first_row, int columns)
      : rows_(std::move(rows)), first_row_(first_row), columns_(columns) {}
  int64_t rows() const override { return rows_->num_rows(); }
  int64_t first_row() const override { return first_row_; }
  Result<std::unique_ptr<FragmentReader>> Open(std::span<const int> columns) const override {
    std::vector<int> places(columns.begin(), columns.end());
    for (int i = columns_; i < rows_->num_columns(); ++i) places.push_back(i);
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows,
                             rows_->SelectColumns(places));
    return std::make_unique<SliceReader>(std::move(rows));
  }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
  int64_t first_row_;
  int columns_;  // Before the reserved ones.
};

std::string Unquoted(const std::string& cell) {
  if (cell.size() < 2 || cell.front() != '"') return cell;
  return cell.substr(1, cell.size() - 2);
}

template <typename Builder, typename Parse>
Result<std::shared_ptr<arrow::Array>> Build(Builder builder, const std::vector<std::string>& cells,
                                            Parse parse) {
  for (const std::string& cell : cells) {
    if (cell == "null") {
      BANQUET_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    BANQUET_ASSIGN_OR_RETURN(auto value, parse(cell));
    BANQUET_RETURN_NOT_OK(builder.Append(value));
  }
  return builder.Finish();
}

Result<int64_t> ParseInt(const std::string& cell) {
  return std::strtoll(cell.c_str(), nullptr, 10);
}
Result<int32_t> ParseInt32(const std::string& cell) { return std::atoi(cell.c_str()); }
Result<double> ParseDouble(const std::string& cell) { return std::strtod(cell.c_str(), nullptr); }
Result<float> ParseFloat(const std::string& cell) { return std::strtof(cell.c_str(), nullptr); }
Result<bool> ParseBool(const std::string& cell) { return cell == "true"; }
Result<std::string> ParseText(const std::string& cell) { return Unquoted(cell); }
Result<int64_t> ParseTime(const std::string& cell) { return ParseInstant(cell); }

std::shared_ptr<arrow::DataType> TimeType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

Result<std::shared_ptr<arrow::Array>> BuildColumn(ValueType type,
                                                  const std::vector<std::string>& cells) {
  auto* pool = arrow::default_memory_pool();
  switch (type) {
    case ValueType::kInt64:
      return Build(arrow::Int64Builder(pool), cells, ParseInt);
    case ValueType::kInt32:
      return Build(arrow::Int32Builder(pool), cells, ParseInt32);
    case ValueType::kDouble:
      return Build(arrow::DoubleBuilder(pool), cells, ParseDouble);
    case ValueType::kFloat:
      return Build(arrow::FloatBuilder(pool), cells, ParseFloat);
    case ValueType::kBool:
      return Build(arrow::BooleanBuilder(pool), cells, ParseBool);
    case ValueType::kUnixTimestamp:
      return Build(arrow::TimestampBuilder(TimeType(), pool), cells, ParseTime);
    default:
      return Build(arrow::StringBuilder(pool), cells, ParseText);
  }
}

}  // namespace

Result<Scan> CaseSource::OpenScan(const ScanRequest& request) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  const auto add = [&](const std::string& name, const std::string& shown,
                       ValueType type) -> Status {
    const auto head = std::ranges::find(table_.front(), name);
    if (head == table_.front().end())
      return DataError("Column is missing in the case's rows: {}", name);
    std::vector<std::string> cells;
    for (size_t i = 1; i < table_.size(); ++i)
      cells.push_back(table_[i][head - table_.front().begin()]);
    BANQUET_ASSIGN_OR_RETURN(columns.emplace_back(), BuildColumn(type, cells));
    fields.push_back(arrow::field(shown, columns.back()->type()));
    return Status::OK();
  };
  for (const std::string& column : request.columns) {
    ValueType type = ValueType::kString;
    for (const auto* list : {&view_.keys, &view_.features}) {
      for (const Field& field : *list) type = field.name == column ? field.type : type;
    }
    BANQUET_RETURN_NOT_OK(add(column, column, type));
  }
  BANQUET_RETURN_NOT_OK(add(view_.time, kEventTimeColumn, ValueType::kUnixTimestamp));
  if (!view_.created.empty())
    BANQUET_RETURN_NOT_OK(add(view_.created, kCreatedTimeColumn, ValueType::kUnixTimestamp));
  Scan scan;
  scan.schema = arrow::schema(fields);
  scan.columns = static_cast<int>(request.columns.size());
  const auto row_count = static_cast<int64_t>(table_.size()) - 1;
  const auto rows = arrow::RecordBatch::Make(scan.schema, row_count, columns);
  scan.summary.rows = row_count;
  for (int64_t begin = 0; begin < row_count; begin += kFragmentRows) {
    scan.fragments.push_back(
        std::make_unique<SliceFragment>(rows->Slice(begin, kFragmentRows), begin, scan.columns));
  }
  return scan;
}

}  // namespace banquet
