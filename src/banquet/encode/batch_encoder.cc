#include "banquet/encode/batch_encoder.h"

#include <utility>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"
#include "banquet/encode/entity_key.h"
#include "banquet/encode/field_encoder.h"
#include "banquet/model/scan_request.h"
#include "banquet/model/value_type.h"

namespace banquet {
namespace {

struct EncodedColumn {
  int index;            // In the schema.
  std::string subject;  // "view v, column f (double to INT32)", for messages.
  std::unique_ptr<const FieldEncoder> encoder;
};

Result<int> ColumnIndex(const arrow::Schema& schema, const std::string& name,
                        const std::string& view) {
  const std::vector<int> found = schema.GetAllFieldIndices(name);
  if (found.empty())
    return DataError("A column of the view is missing in the source: view {}, column {}", view,
                     name);
  if (found.size() > 1)
    return DataError("A column name stands twice in the source: view {}, column {}", view, name);
  return found[0];
}

// What a person calls the type: a dictionary is how the values are kept.
const arrow::DataType& ValueTypeOf(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return type;
  return *arrow::internal::checked_cast<const arrow::DictionaryType&>(type).value_type();
}

Result<int> TimeColumnIndex(const arrow::Schema& schema, const char* name) {
  const int index = schema.GetFieldIndex(name);
  if (index < 0) return -1;
  const arrow::DataType& type = *schema.field(index)->type();
  if (type.id() != arrow::Type::TIMESTAMP ||
      arrow::internal::checked_cast<const arrow::TimestampType&>(type).unit() !=
          arrow::TimeUnit::MICRO)
    return Bug("A reserved time column is not in microseconds: {} is {}", name, type.ToString());
  return index;
}

class ArrowBatchEncoder final : public BatchEncoder {
 public:
  struct Parts {
    std::unique_ptr<EntityKeyEncoder> keys;
    int event_time = -1;
    int created_time = -1;  // -1: none.
    std::vector<std::vector<EncodedColumn>> views;
    std::vector<std::pair<std::string, int>> join_keys;  // Name and column, for messages.
  };
  explicit ArrowBatchEncoder(Parts parts) : parts_(std::move(parts)) {}

  Result<std::shared_ptr<const EncodedBatch>> Encode(
      const arrow::RecordBatch& batch) const override {
    auto encoded = std::make_shared<EncodedBatch>();
    encoded->rows = static_cast<size_t>(batch.num_rows());
    BANQUET_RETURN_NOT_OK(parts_.keys->AppendAll(batch, &encoded->keys));
    BANQUET_RETURN_NOT_OK(CopyTimes(batch, encoded.get()));
    for (const auto& columns : parts_.views) {
      auto& features = encoded->views.emplace_back();
      features.reserve(columns.size());
      for (const EncodedColumn& column : columns) {
        int64_t failed_row = -1;
        const Status status = column.encoder->Append(batch.column(column.index),
                                                     &features.emplace_back(), &failed_row);
        if (!status.ok()) return Annotate(status, column.subject + EntityOf(batch, failed_row));
      }
    }
    return encoded;
  }

 private:
  Status CopyTimes(const arrow::RecordBatch& batch, EncodedBatch* out) const {
    using arrow::internal::checked_cast;
    const auto& event =
        checked_cast<const arrow::TimestampArray&>(*batch.column(parts_.event_time));
    if (event.null_count() > 0) return Bug("A row without event time reached the encoder");
    out->event_us.assign(event.raw_values(), event.raw_values() + event.length());
    if (parts_.created_time < 0) return Status::OK();
    const auto& created =
        checked_cast<const arrow::TimestampArray&>(*batch.column(parts_.created_time));
    out->created_us.assign(created.raw_values(), created.raw_values() + created.length());
    out->created_valid.assign(out->rows, 1);
    if (created.null_count() == 0) return Status::OK();
    for (int64_t row = 0; row < created.length(); ++row) {
      if (created.IsValid(row)) continue;
      out->created_us[static_cast<size_t>(row)] = 0;
      out->created_valid[static_cast<size_t>(row)] = 0;
    }
    return Status::OK();
  }

  // ", entity driver_id=7": where to look for the value that does not convert.
  std::string EntityOf(const arrow::RecordBatch& batch, int64_t row) const {
    std::string text;
    if (row < 0) return text;
    for (const auto& [name, column] : parts_.join_keys) {
      const auto scalar = batch.column(column)->GetScalar(row);
      text += text.empty() ? ", entity " : ", ";
      text += name + "=" + (scalar.ok() ? (*scalar)->ToString() : std::string("?"));
    }
    return text;
  }

  const Parts parts_;
};

Result<std::vector<EncodedColumn>> MakeColumns(const ViewColumns& view, const arrow::Schema& schema,
                                               EncodeNeeds needs) {
  std::vector<EncodedColumn> columns;
  for (const Field& feature : view.features) {
    EncodedColumn column;
    BANQUET_ASSIGN_OR_RETURN(column.index, ColumnIndex(schema, feature.name, view.view));
    const auto& type = schema.field(column.index)->type();
    auto encoder = FieldEncoder::Make(feature, type, needs);
    if (!encoder.ok())
      return Annotate(encoder.status(), fmt::format("view {}, column {}", view.view, feature.name));
    column.encoder = std::move(encoder).ValueUnsafe();
    column.subject = fmt::format("view {}, column {} ({} to {})", view.view, feature.name,
                                 ValueTypeOf(*type).ToString(), NameOf(feature.type));
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Result<std::unique_ptr<BatchEncoder>> BatchEncoder::Make(std::span<const ViewColumns> views,
                                                         const arrow::Schema& schema,
                                                         EncodeNeeds needs) {
  if (views.empty()) return Bug("An encoder needs a view");
  ArrowBatchEncoder::Parts parts;
  const ViewColumns& first = views[0];
  BANQUET_ASSIGN_OR_RETURN(
      parts.keys, EntityKeyEncoder::Make(first.join_keys, first.entity_key_version, schema));
  BANQUET_ASSIGN_OR_RETURN(parts.event_time, TimeColumnIndex(schema, kEventTimeColumn));
  if (parts.event_time < 0)
    return Bug("The input lacks its event time column: {}", kEventTimeColumn);
  BANQUET_ASSIGN_OR_RETURN(parts.created_time, TimeColumnIndex(schema, kCreatedTimeColumn));
  for (const ViewColumns& view : views) {
    if (view.join_keys != first.join_keys || view.entity_key_version != first.entity_key_version)
      return Bug("Views of a group differ in their keys: {}, {}", first.view, view.view);
    BANQUET_ASSIGN_OR_RETURN(auto columns, MakeColumns(view, schema, needs));
    parts.views.push_back(std::move(columns));
  }
  for (const Field& key : first.join_keys) {
    if (const int index = schema.GetFieldIndex(key.name); index >= 0)
      parts.join_keys.emplace_back(key.name, index);
  }
  return std::make_unique<ArrowBatchEncoder>(std::move(parts));
}

}  // namespace banquet
