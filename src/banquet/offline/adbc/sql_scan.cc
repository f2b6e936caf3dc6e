#include "banquet/offline/adbc/sql_scan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "arrow/array/array_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/byte_size.h"
#include "arrow/util/checked_cast.h"
#include "banquet/offline/adbc/result_columns.h"
#include "banquet/offline/time_values.h"
#include "banquet/sql/scan_sql.h"

namespace banquet::adbc {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

constexpr size_t kSqliteLooksMax = 500;  // Columns of one look; SQLite gives 2,000 at most.
constexpr char kDimensionsColumn[] = "__banquet_dimensions";

// A time column of the result, and what the schema of the scan calls it.
struct TimeColumn {
  std::shared_ptr<arrow::Field> column;  // Of the source, plain.
  std::string nanos;                     // Empty: the source keeps none.
};

// How the query's columns become those of the scan.
struct ResultForm {
  std::string statement;
  std::string place;                       // For messages: "a row of data source x".
  arrow::FieldVector columns;              // The requested ones, first in the result.
  std::vector<TimeColumn> times;           // Behind them, in the result's order.
  std::shared_ptr<arrow::Schema> schema;   // Of the scan.
  std::vector<std::string> array_columns;  // Not empty: kDimensionsColumn comes last.
  bool begins_with_types = false;          // The first row is none: it tells SQLite's types.
};

class SqlReader final : public FragmentReader {
 public:
  SqlReader(std::shared_ptr<Connection> connection, ResultForm form)
      : connection_(std::move(connection)), form_(std::move(form)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (result_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(result_, connection_->Query(form_.statement));
    }
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, result_->Next());
      if (rows == nullptr) return nullptr;
      BANQUET_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*rows));
      bytes_read_ += bytes;
      if (form_.begins_with_types && !dropped_types_ && rows->num_rows() > 0) {
        dropped_types_ = true;
        rows = rows->Slice(1);
      }
      if (rows->num_rows() == 0) continue;
      BANQUET_ASSIGN_OR_RETURN(rows, Converted(*rows));
      rows_ += rows->num_rows();
      return rows;
    }
  }

  int64_t bytes_read() const override { return bytes_read_; }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> Converted(const arrow::RecordBatch& rows) const {
    arrow::ArrayVector columns;
    int at = 0;
    for (const auto& column : form_.columns) {
      BANQUET_ASSIGN_OR_RETURN(columns.emplace_back(), ColumnArrayOf(rows.column(at++), *column));
    }
    for (const TimeColumn& time : form_.times) {
      BANQUET_ASSIGN_OR_RETURN(const auto stored, ColumnArrayOf(rows.column(at++), *time.column));
      BANQUET_ASSIGN_OR_RETURN(
          offline::TimeValues values,
          offline::NormalizeTimes(
              stored, !time.nanos.empty(),
              {.column = time.column->name(), .place = form_.place, .first_row = rows_}));
      columns.push_back(std::move(values.us));
      if (!time.nanos.empty()) columns.push_back(std::move(values.nanos));
    }
    if (!form_.array_columns.empty()) BANQUET_RETURN_NOT_OK(CheckDimensions(*rows.column(at)));
    return arrow::RecordBatch::Make(form_.schema, rows.num_rows(), std::move(columns));
  }

  // The driver gives the elements of an array of arrays as those of one.
  Status CheckDimensions(const arrow::Array& column) const {
    const auto& dimensions = checked_cast<const arrow::Int32Array&>(column);
    for (int64_t row = 0; row < dimensions.length(); ++row) {
      if (dimensions.IsValid(row) && dimensions.Value(row) > 1) {
        return DataError(
            "An array has more than one dimension; give the data source a query that makes JSON "
            "of it: one of the columns {}, {}",
            fmt::join(form_.array_columns, ", "), form_.place);
      }
    }
    return Status::OK();
  }

  const std::shared_ptr<Connection> connection_;
  const ResultForm form_;
  std::unique_ptr<QueryResult> result_;
  bool dropped_types_ = false;
  int64_t rows_ = 0;
  int64_t bytes_read_ = 0;
};

// A column of the source as the query gives it. Fields beyond the requested ones are times.
using Fields = arrow::FieldVector;

class ScanPlanner {
 public:
  ScanPlanner(const ScanRequest& request, const NameSpaces& spaces, SqlProduct product,
              std::shared_ptr<Connection> connection)
      : dialect_(DialectOf(product)), connection_(std::move(connection)) {
    scan_.request = request;
    scan_.source.database = spaces.catalog;
    scan_.source.schema = spaces.schema;
  }

  Result<Scan> Plan() {
    if (scan_.request.columns.empty()) {
      return UserError("The view's own SQL needs an engine that runs it; there is none here");
    }
    // What SQL cannot say is told before anything is asked.
    BANQUET_RETURN_NOT_OK(ScanSql(dialect_, scan_).status());
    BANQUET_ASSIGN_OR_RETURN(const Fields fields, AskFields());
    BANQUET_RETURN_NOT_OK(NoteKinds(fields));
    BANQUET_ASSIGN_OR_RETURN(ResultForm form, FormOf(fields));
    Scan scan;
    scan.schema = form.schema;
    scan.columns = static_cast<int>(scan_.request.columns.size());
    scan.summary.pushed_down = PushedDown();
    scan.stream = std::make_unique<SqlReader>(connection_, std::move(form));
    return scan;
  }

 private:
  const DataSource& data() const { return scan_.request.source; }
  bool IsSqlite() const { return dialect_.product == SqlProduct::kSqlite; }

  // The requested columns, then those of the times.
  std::vector<std::string> SourceColumns() const {
    std::vector<std::string> columns = scan_.request.columns;
    columns.push_back(data().timestamp_field);
    if (!data().created_timestamp_column.empty()) {
      columns.push_back(data().created_timestamp_column);
    }
    return columns;
  }

  // Plain types under the source's names; of SQLite's values: null where there is none.
  Result<Fields> AskFields() {
    BANQUET_ASSIGN_OR_RETURN(const std::string relation,
                             SourceRelation(dialect_, data(), scan_.source));
    std::vector<std::string> columns;
    for (const std::string& name : SourceColumns()) {
      columns.push_back(fmt::format("{}.{}", kSourceAlias, dialect_.QuoteName(name)));
    }
    BANQUET_ASSIGN_OR_RETURN(
        const auto empty,
        connection_->Query(fmt::format("SELECT\n  {}\nFROM {} AS {}\nLIMIT 0",
                                       fmt::join(columns, ",\n  "), relation, kSourceAlias)));
    if (IsSqlite()) return AskSqlite();
    Fields fields;
    const std::vector<std::string> names = SourceColumns();
    for (size_t i = 0; i < names.size(); ++i) {
      const auto field = empty->schema()->field(static_cast<int>(i))->WithName(names[i]);
      BANQUET_ASSIGN_OR_RETURN(auto type, ColumnTypeOf(*field, dialect_));
      fields.push_back(arrow::field(names[i], std::move(type)));
      if (IsText(*field)) scan_.source.text_columns.push_back(names[i]);
    }
    return fields;
  }

  Result<Fields> AskSqlite() {
    BANQUET_ASSIGN_OR_RETURN(const std::string rows, ScanSql(dialect_, scan_));
    std::vector<std::string> names = scan_.request.columns;
    names.emplace_back(kEventTimeColumn);
    if (!data().created_timestamp_column.empty()) names.emplace_back(kCreatedTimeColumn);
    const std::vector<std::string> sources = SourceColumns();
    Fields fields;
    for (size_t from = 0; from < names.size(); from += kSqliteLooksMax) {
      const size_t to = std::min(names.size(), from + kSqliteLooksMax);
      std::vector<std::string> looks;
      for (size_t i = from; i < to; ++i) {
        for (const char* least_or_greatest : {"min", "max"}) {
          looks.push_back(fmt::format(
              "{}(CASE typeof({}) WHEN 'integer' THEN 1 WHEN 'real' THEN 2 WHEN 'text' THEN 3 "
              "WHEN 'blob' THEN 4 END)",
              least_or_greatest, dialect_.QuoteName(names[i])));
        }
      }
      BANQUET_ASSIGN_OR_RETURN(
          const auto result,
          connection_->Query(fmt::format("SELECT {} FROM (\n{}\n)", fmt::join(looks, ", "), rows)));
      BANQUET_ASSIGN_OR_RETURN(const auto row, result->Next());
      if (row == nullptr || row->num_rows() != 1) {
        return Bug("SQLite gives no row of types: {}", data().name);
      }
      for (size_t i = from; i < to; ++i) {
        const int at = static_cast<int>(2 * (i - from));
        BANQUET_ASSIGN_OR_RETURN(auto type,
                                 SqliteType(sources[i], *row->column(at), *row->column(at + 1)));
        fields.push_back(arrow::field(sources[i], std::move(type)));
        if (IsText(*fields.back())) scan_.source.text_columns.push_back(sources[i]);
      }
    }
    return fields;
  }

  static Result<std::shared_ptr<arrow::DataType>> SqliteType(const std::string& column,
                                                             const arrow::Array& least,
                                                             const arrow::Array& greatest) {
    if (least.IsNull(0)) return arrow::null();
    const int64_t low = checked_cast<const arrow::Int64Array&>(least).Value(0);
    const int64_t high = checked_cast<const arrow::Int64Array&>(greatest).Value(0);
    if (high >= 3 && low != high) {
      return DataError(
          "A column of SQLite holds texts or bytes beside other values; give the data source a "
          "query that casts it: column {}",
          column);
    }
    switch (high) {
      case 1:
        return arrow::int64();
      case 2:
        return arrow::float64();
      case 3:
        return arrow::utf8();
      default:
        return arrow::binary();
    }
  }

  // What the SQL depends on.
  Status NoteKinds(const Fields& fields) {
    const size_t columns = scan_.request.columns.size();
    BANQUET_ASSIGN_OR_RETURN(scan_.source.event_time, KindOf(*fields[columns]));
    if (fields.size() > columns + 1) {
      BANQUET_ASSIGN_OR_RETURN(scan_.source.created_time, KindOf(*fields[columns + 1]));
    }
    if (scan_.request.newest_of.has_value()) {
      scan_.newest = NewestRows::kWithTies;
      scan_.keys = *scan_.request.newest_of;
    }
    return Status::OK();
  }

  Result<TimeKind> KindOf(const arrow::Field& field) const {
    const Type::type id = field.type()->id();
    if (IsSqlite()) {
      if (id == Type::STRING || id == Type::NA) return TimeKind::kInstant;
      return UserError(
          "SQLite's times are texts in ISO 8601; give the data source a query that makes them of "
          "column {}, which is {}",
          field.name(), field.type()->ToString());
    }
    if (id == Type::DATE32) return TimeKind::kDate;
    if (id == Type::TIMESTAMP) {
      const auto& type = checked_cast<const arrow::TimestampType&>(*field.type());
      return type.timezone().empty() ? TimeKind::kNaive : TimeKind::kInstant;
    }
    return UserError(
        "A time column is neither a timestamp nor a date; give the data source a query that casts "
        "it: column {} is {}",
        field.name(), field.type()->ToString());
  }

  Result<ResultForm> FormOf(const Fields& fields) {
    ResultForm form;
    form.place = "data source " + data().name;
    const auto columns = static_cast<std::ptrdiff_t>(scan_.request.columns.size());
    form.columns.assign(fields.begin(), fields.begin() + columns);
    Fields schema = form.columns;
    const auto add_time = [&](const std::shared_ptr<arrow::Field>& field, const char* time,
                              const char* nanos) {
      const bool keeps_nanos = offline::MayHaveNanos(*field->type());
      form.times.push_back({field, keeps_nanos ? nanos : ""});
      schema.push_back(arrow::field(time, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
      if (keeps_nanos) schema.push_back(arrow::field(nanos, arrow::uint16()));
    };
    add_time(fields[columns], kEventTimeColumn, kEventNanosColumn);
    if (!data().created_timestamp_column.empty()) {
      add_time(fields[columns + 1], kCreatedTimeColumn, kCreatedNanosColumn);
    }
    form.schema = arrow::schema(std::move(schema));
    BANQUET_ASSIGN_OR_RETURN(form.statement, ScanSql(dialect_, scan_));
    if (IsSqlite()) {
      form.statement = BehindTypes(fields, form.statement);
      form.begins_with_types = true;
    }
    if (dialect_.product == SqlProduct::kPostgres) AddDimensions(&form);
    return form;
  }

  // SQLite's driver takes a column's type from its first rows: one row that says it comes first.
  static std::string BehindTypes(const Fields& fields, const std::string& rows) {
    std::vector<std::string_view> samples;
    for (const auto& field : fields) {
      switch (field->type()->id()) {
        case Type::INT64:
          samples.emplace_back("0");
          break;
        case Type::DOUBLE:
          samples.emplace_back("0.0");
          break;
        case Type::STRING:
          samples.emplace_back("''");
          break;
        case Type::BINARY:
          samples.emplace_back("x''");
          break;
        default:
          samples.emplace_back("NULL");
      }
    }
    return fmt::format("SELECT {}\nUNION ALL\nSELECT * FROM (\n{}\n)", fmt::join(samples, ", "),
                       rows);
  }

  void AddDimensions(ResultForm* form) const {
    std::vector<std::string> asked;
    for (const auto& column : form->columns) {
      if (column->type()->id() != Type::LIST) continue;
      form->array_columns.push_back(column->name());
      asked.push_back(fmt::format("array_ndims({})", dialect_.QuoteName(column->name())));
    }
    if (asked.empty()) return;
    form->statement =
        fmt::format("SELECT *, GREATEST({}) AS {}\nFROM (\n{}\n) AS banquet_arrays",
                    fmt::join(asked, ", "), dialect_.QuoteName(kDimensionsColumn), form->statement);
  }

  std::vector<std::string> PushedDown() const {
    std::vector<std::string> words = {
        fmt::format("columns: {}", fmt::join(scan_.request.columns, ", ")),
        fmt::format("rows inside the window, by {}", dialect_.name)};
    if (scan_.newest != NewestRows::kAll) {
      words.push_back(scan_.keys.empty() ? fmt::format("the newest row, by {}", dialect_.name)
                                         : fmt::format("newest row per ({}), by {}",
                                                       fmt::join(scan_.keys, ", "), dialect_.name));
    }
    return words;
  }

  const SqlDialect& dialect_;
  const std::shared_ptr<Connection> connection_;
  SqlScan scan_;
};

}  // namespace

Result<Scan> PlanSqlScan(const ScanRequest& request, const NameSpaces& spaces, SqlProduct product,
                         std::shared_ptr<Connection> connection) {
  return ScanPlanner(request, spaces, product, std::move(connection)).Plan();
}

}  // namespace banquet::adbc
