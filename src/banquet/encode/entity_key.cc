#include "banquet/encode/entity_key.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "banquet/base/time_text.h"
#include "banquet/encode/entity_key_cell.h"
#include "banquet/model/entity.h"

namespace banquet {
namespace {

constexpr size_t kErrorValueCharsMax = 100;
constexpr size_t kInt64Bytes = 8;
constexpr int64_t kMicrosPerSecond = 1'000'000;

bool IsEntityless(std::span<const Field> join_keys) {
  return join_keys.empty() || (join_keys.size() == 1 && join_keys[0].name == kDummyJoinKey);
}

// What precedes the values, and in which order the values follow.
struct KeyLayout {
  std::vector<size_t> order;  // Positions in the stored list of join keys, by name.
  std::string names;
};

Result<KeyLayout> MakeLayout(std::span<const Field> join_keys, int version) {
  if (version != 2 && version != 3) {
    return UserError(
        "This version of entity keys is not supported; set entity_key_serialization_version to 3 "
        "(or 2): {}",
        version);
  }
  for (const Field& key : join_keys) {
    switch (key.type) {
      case ValueType::kString:
      case ValueType::kBytes:
      case ValueType::kInt32:
      case ValueType::kInt64:
      case ValueType::kUnixTimestamp:
        continue;
      default:
        return UserError(
            "A join key has a type that Feast cannot serialize; declare it STRING, BYTES, INT32, "
            "INT64 or UNIX_TIMESTAMP: {} {}",
            key.name, NameOf(key.type));
    }
  }
  KeyLayout layout;
  layout.order.resize(join_keys.size());
  std::iota(layout.order.begin(), layout.order.end(), 0);
  std::ranges::stable_sort(layout.order, {}, [&](size_t i) { return join_keys[i].name; });
  if (version >= 3) AppendLittleEndian32(static_cast<uint32_t>(join_keys.size()), &layout.names);
  for (const size_t i : layout.order) {
    AppendLittleEndian32(static_cast<uint32_t>(ValueType::kString), &layout.names);
    const std::string& name = join_keys[i].name;
    if (version >= 3) AppendLittleEndian32(static_cast<uint32_t>(name.size()), &layout.names);
    layout.names += name;
  }
  return layout;
}

Result<std::string> EntitylessKey(int version) {
  Field dummy;
  dummy.name = kDummyJoinKey;
  dummy.type = ValueType::kString;
  BANQUET_ASSIGN_OR_RETURN(KeyLayout layout, MakeLayout({&dummy, 1}, version));
  AppendKeyText(ValueType::kString, "", &layout.names);
  return std::move(layout.names);
}

// Rows of a batch, all or some of them; gives the row of each position.
struct AllRows {
  size_t count;
  size_t size() const { return count; }
  int64_t operator[](size_t i) const { return static_cast<int64_t>(i); }
};
struct SomeRows {
  std::span<const uint32_t> rows;
  size_t size() const { return rows.size(); }
  int64_t operator[](size_t i) const { return rows[i]; }
};

// The same key for every row; reads nothing.
class EntitylessKeyEncoder final : public EntityKeyEncoder {
 public:
  explicit EntitylessKeyEncoder(std::string key) : key_(std::move(key)) {}

  Status Append(const arrow::RecordBatch&, std::span<const uint32_t> rows,
                BytesColumn* out) const override {
    return Repeat(rows.size(), out);
  }
  Status AppendAll(const arrow::RecordBatch& batch, BytesColumn* out) const override {
    return Repeat(static_cast<size_t>(batch.num_rows()), out);
  }
  bool has_numbers() const override { return true; }
  Status AppendNumbers(const arrow::RecordBatch& batch,
                       std::optional<std::span<const uint32_t>> rows,
                       std::vector<uint64_t>* out) const override {
    out->resize(out->size() + (rows ? rows->size() : static_cast<size_t>(batch.num_rows())), 0);
    return Status::OK();
  }
  size_t common_prefix_size() const override { return key_.size(); }

 private:
  Status Repeat(size_t count, BytesColumn* out) const {
    for (size_t i = 0; i < count; ++i) {
      out->data += key_;
      out->Close();
    }
    return Status::OK();
  }

  const std::string key_;
};

struct KeyColumn {
  Field field;
  int index = -1;  // In the batch.
  std::shared_ptr<arrow::DataType> type;
  KeyCellAppender append = nullptr;
};

// A key column of one batch.
struct BoundColumn {
  const KeyColumn* key = nullptr;
  std::shared_ptr<arrow::Array> values;      // Of a dictionary: its words.
  std::shared_ptr<arrow::Array> dictionary;  // Set for a dictionary: the column itself.
  bool may_be_null = false;

  const arrow::Array& cells() const { return dictionary == nullptr ? *values : *dictionary; }
  int64_t RowOfValue(int64_t row) const {
    if (dictionary == nullptr) return row;
    return static_cast<const arrow::DictionaryArray&>(*dictionary).GetValueIndex(row);
  }
};

class ColumnKeyEncoder final : public EntityKeyEncoder {
 public:
  ColumnKeyEncoder(std::string names, std::vector<KeyColumn> columns)
      : names_(std::move(names)),
        columns_(std::move(columns)),
        one_int64_(columns_.size() == 1 && columns_[0].field.type == ValueType::kInt64 &&
                   columns_[0].type->id() == arrow::Type::INT64) {}

  Status Append(const arrow::RecordBatch& batch, std::span<const uint32_t> rows,
                BytesColumn* out) const override {
    return AppendRows(batch, SomeRows{rows}, out);
  }
  Status AppendAll(const arrow::RecordBatch& batch, BytesColumn* out) const override {
    return AppendRows(batch, AllRows{static_cast<size_t>(batch.num_rows())}, out);
  }

  bool has_numbers() const override { return columns_.size() == 1 && !FirstIsText(); }
  Status AppendNumbers(const arrow::RecordBatch& batch,
                       std::optional<std::span<const uint32_t>> rows,
                       std::vector<uint64_t>* out) const override {
    if (one_int64_) {
      BANQUET_ASSIGN_OR_RETURN(const BoundColumn bound, Bind(columns_[0], batch));
      if (!bound.may_be_null) {
        const int64_t* numbers = static_cast<const arrow::Int64Array&>(*bound.values).raw_values();
        if (rows.has_value()) {
          for (const uint32_t row : *rows) out->push_back(static_cast<uint64_t>(numbers[row]));
        } else {
          out->insert(out->end(), numbers, numbers + batch.num_rows());
        }
        return Status::OK();
      }
    }
    BytesColumn keys;
    BANQUET_RETURN_NOT_OK(rows.has_value() ? Append(batch, *rows, &keys) : AppendAll(batch, &keys));
    const size_t prefix = common_prefix_size();
    for (size_t i = 0; i < keys.size(); ++i) out->push_back(NumberOf(keys[i].substr(prefix)));
    return Status::OK();
  }

  // The first value's type is always the same, and its length if it is a number.
  size_t common_prefix_size() const override {
    return names_.size() + (FirstIsText() ? 4 : kKeyValueHeaderBytes);
  }

 private:
  bool FirstIsText() const {
    const ValueType first = columns_[0].field.type;
    return first == ValueType::kString || first == ValueType::kBytes;
  }

  // Of 4 bytes (INT32) or 8, little-endian.
  static uint64_t NumberOf(std::string_view bytes) {
    if (bytes.size() == sizeof(int32_t)) {
      int32_t number = 0;
      std::memcpy(&number, bytes.data(), sizeof(number));
      return static_cast<uint64_t>(int64_t{number});
    }
    uint64_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof(number));
    return number;
  }

  template <typename Rows>
  Status AppendRows(const arrow::RecordBatch& batch, const Rows& rows, BytesColumn* out) const {
    std::vector<BoundColumn> bound;
    bound.reserve(columns_.size());
    for (const KeyColumn& column : columns_) {
      BANQUET_ASSIGN_OR_RETURN(bound.emplace_back(), Bind(column, batch));
    }
    if (one_int64_ && !bound[0].may_be_null) {
      AppendInt64Rows(static_cast<const arrow::Int64Array&>(*bound[0].values), rows, out);
      return Status::OK();
    }
    out->offsets.reserve(out->offsets.size() + rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      out->data += names_;
      for (const BoundColumn& column : bound) {
        const Status status = AppendCell(column, rows[i], &out->data);
        if (status.ok()) continue;
        out->data.resize(out->offsets.back());
        return status;
      }
      out->Close();
    }
    return Status::OK();
  }

  static Result<BoundColumn> Bind(const KeyColumn& column, const arrow::RecordBatch& batch) {
    if (column.index >= batch.num_columns() ||
        !batch.column(column.index)->type()->Equals(*column.type)) {
      return Bug("A batch has another schema than its key encoder: {}", batch.schema()->ToString());
    }
    BoundColumn bound;
    bound.key = &column;
    bound.values = batch.column(column.index);
    bound.may_be_null = bound.values->null_count() > 0;
    if (column.type->id() == arrow::Type::DICTIONARY) {
      // Not DictionaryArray::dictionary(), which makes the array on first use without a lock.
      bound.dictionary = std::move(bound.values);
      bound.values = arrow::MakeArray(bound.dictionary->data()->dictionary);
      bound.may_be_null = bound.may_be_null || bound.values->null_count() > 0;
    }
    return bound;
  }

  static Status AppendCell(const BoundColumn& column, int64_t row, std::string* out) {
    const std::string& name = column.key->field.name;
    if (column.may_be_null && column.cells().IsNull(row)) {
      return Bug("A null join key was not filtered: column {}, row {}", name, row);
    }
    const int64_t value_row = column.RowOfValue(row);
    if (column.may_be_null && column.values->IsNull(value_row)) {
      return DataError("The dictionary of a join key has a null word that a row uses: column {}",
                       name);
    }
    if (column.key->append(*column.values, value_row, out)) return Status::OK();
    std::string text = "?";
    if (const auto scalar = column.values->GetScalar(value_row); scalar.ok()) {
      text = (*scalar)->ToString().substr(0, kErrorValueCharsMax);
    }
    return DataError("A value cannot become a join key of type {}: column {} ({}), value {}",
                     NameOf(column.key->field.type), name, column.key->type->ToString(), text);
  }

  // Every key has the same size: one growth of the buffer, then copies.
  template <typename Rows>
  void AppendInt64Rows(const arrow::Int64Array& values, const Rows& rows, BytesColumn* out) const {
    std::string record = names_;
    AppendKeyNumber(ValueType::kInt64, 0, &record);
    size_t at = out->data.size();
    size_t closed = out->offsets.size();
    out->data.resize(at + rows.size() * record.size());
    out->offsets.resize(closed + rows.size());
    const int64_t* numbers = values.raw_values();
    for (size_t i = 0; i < rows.size(); ++i) {
      char* key = out->data.data() + at;
      std::memcpy(key, record.data(), record.size());
      StoreLittleEndian(static_cast<uint64_t>(numbers[rows[i]]), key + record.size() - kInt64Bytes);
      at += record.size();
      out->offsets[closed++] = at;
    }
  }

  const std::string names_;
  const std::vector<KeyColumn> columns_;  // In serialized order.
  const bool one_int64_;
};

Status AppendKeyFromText(const Field& key, const std::string& text, std::string* out) {
  if (key.type == ValueType::kString || key.type == ValueType::kBytes) {
    if (AppendKeyText(key.type, text, out)) return Status::OK();
    return UserError("A join key's value is too long: {}", key.name);
  }
  int64_t number = 0;
  if (ParseWholeNumber(text, &number)) {
    if (AppendKeyNumber(key.type, number, out)) return Status::OK();
    return UserError("A join key's value is out of range for {}; give a smaller number: {}={}",
                     NameOf(key.type), key.name, text);
  }
  if (key.type == ValueType::kUnixTimestamp) {
    if (const Result<int64_t> us = ParseIsoInstant(text); us.ok()) {
      AppendKeyNumber(ValueType::kUnixTimestamp, FloorToSeconds(*us, kMicrosPerSecond), out);
      return Status::OK();
    }
    return UserError("A join key's value is no instant; give seconds since 1970 or ISO 8601: {}={}",
                     key.name, text);
  }
  return UserError("A join key's value is no {}; give a whole number in range: {}={}",
                   NameOf(key.type), key.name, text);
}

}  // namespace

Result<std::unique_ptr<EntityKeyEncoder>> EntityKeyEncoder::Make(std::span<const Field> join_keys,
                                                                 int version,
                                                                 const arrow::Schema& schema) {
  if (IsEntityless(join_keys)) {
    BANQUET_ASSIGN_OR_RETURN(std::string key, EntitylessKey(version));
    return std::make_unique<EntitylessKeyEncoder>(std::move(key));
  }
  BANQUET_ASSIGN_OR_RETURN(KeyLayout layout, MakeLayout(join_keys, version));
  std::vector<KeyColumn> columns;
  for (const size_t i : layout.order) {
    const Field& key = join_keys[i];
    const int index = schema.GetFieldIndex(key.name);
    if (index < 0) {
      return UserError(
          "Join key is missing in the source, or there twice; add the column or map another to "
          "it: {}",
          key.name);
    }
    const std::shared_ptr<arrow::DataType>& type = schema.field(index)->type();
    const arrow::DataType& cell_type =
        type->id() == arrow::Type::DICTIONARY
            ? *static_cast<const arrow::DictionaryType&>(*type).value_type()
            : *type;
    const KeyCellAppender append = ChooseKeyCellAppender(key.type, cell_type);
    if (append == nullptr) {
      return DataError("The column of a join key has a type that cannot become {}: column {}, {}",
                       NameOf(key.type), key.name, type->ToString());
    }
    columns.push_back({.field = key, .index = index, .type = type, .append = append});
  }
  return std::make_unique<ColumnKeyEncoder>(std::move(layout.names), std::move(columns));
}

Result<std::string> SerializeEntityKey(std::span<const Field> join_keys, int version,
                                       std::span<const std::string> values) {
  if (IsEntityless(join_keys)) return EntitylessKey(version);
  if (values.size() != join_keys.size()) {
    return UserError("Give one value for each join key: {} keys, {} values", join_keys.size(),
                     values.size());
  }
  BANQUET_ASSIGN_OR_RETURN(KeyLayout layout, MakeLayout(join_keys, version));
  std::string key = std::move(layout.names);
  for (const size_t i : layout.order) {
    BANQUET_RETURN_NOT_OK(AppendKeyFromText(join_keys[i], values[i], &key));
  }
  return key;
}

}  // namespace banquet
