// MAP, STRUCT and SCALAR_MAP from Arrow's structs and maps, and the values that Feast infers inside
// them. Entries are sorted by key, so that equal maps are equal bytes.

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/json_map.h"
#include "banquet/encode/list_elements.h"
#include "banquet/encode/value_writer.h"
#include "banquet/encode/wire.h"

namespace banquet {
namespace {

using arrow::internal::checked_cast;

// Fields of feast.types.Value that inferred values use.
constexpr int kMapVal = 20;
constexpr int kMapListVal = 21;
constexpr int kListVal = 42;

// map<string, Value>: one entry. A null (or a null type's) value is an entry with an empty Value.
Status WriteEntry(std::string_view key, const ValueWriter* writer, const arrow::Array& values,
                  int64_t row, std::string* out) {
  LengthFrame entry(1, out);
  AppendBytesField(1, key, out);
  LengthFrame value(2, out);
  if (writer != nullptr && !values.IsNull(row))
    BANQUET_RETURN_NOT_OK(writer->Write(values, row, out));
  value.Close();
  entry.Close();
  return Status::OK();
}

class StructEntriesWriter final : public ValueWriter {
 public:
  struct Member {
    std::string name;
    int index;
    ValueWriterPtr writer;  // Null: the null type.
  };
  explicit StructEntriesWriter(std::vector<Member> members) : members_(std::move(members)) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const auto& record = checked_cast<const arrow::StructArray&>(array);
    for (const Member& member : members_) {
      BANQUET_RETURN_NOT_OK(
          WriteEntry(member.name, member.writer.get(), *record.field(member.index), row, out));
    }
    return Status::OK();
  }

 private:
  const std::vector<Member> members_;
};

// The children of a map's entries, minding any offset of the entries.
struct MapChildren {
  const std::shared_ptr<arrow::Array> keys;
  const std::shared_ptr<arrow::Array> values;
  explicit MapChildren(const arrow::Array& entries)
      : keys(checked_cast<const arrow::StructArray&>(entries).field(0)),
        values(checked_cast<const arrow::StructArray&>(entries).field(1)) {}
};

template <typename KeyArray>
class MapEntriesWriter final : public ValueWriter {
 public:
  explicit MapEntriesWriter(ValueWriterPtr writer) : writer_(std::move(writer)) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    const MapChildren children(*elements.values);
    const CellReader<KeyArray> keys(*children.keys);
    std::vector<std::pair<std::string_view, int64_t>> order;
    order.reserve(static_cast<size_t>(elements.end - elements.begin));
    for (int64_t i = elements.begin; i < elements.end; ++i) order.emplace_back(keys[i].value, i);
    // Of equal keys the last wins, as in a Python dict.
    std::ranges::sort(order);
    for (size_t i = 0; i < order.size(); ++i) {
      if (i + 1 < order.size() && order[i].first == order[i + 1].first) continue;
      BANQUET_RETURN_NOT_OK(
          WriteEntry(order[i].first, writer_.get(), *children.values, order[i].second, out));
    }
    return Status::OK();
  }

 private:
  const ValueWriterPtr writer_;
};

class ScalarMapEntriesWriter final : public ValueWriter {
 public:
  ScalarMapEntriesWriter(ValueWriterPtr key_writer, ValueWriterPtr value_writer)
      : key_writer_(std::move(key_writer)), value_writer_(std::move(value_writer)) {}

  // In the map's own order.
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    const MapChildren children(*elements.values);
    for (int64_t i = elements.begin; i < elements.end; ++i) {
      LengthFrame entry(1, out);
      LengthFrame key(1, out);
      BANQUET_RETURN_NOT_OK(key_writer_->Write(*children.keys, i, out));
      key.Close();
      LengthFrame value(2, out);
      if (value_writer_ != nullptr && !children.values->IsNull(i))
        BANQUET_RETURN_NOT_OK(value_writer_->Write(*children.values, i, out));
      value.Close();
      entry.Close();
    }
    return Status::OK();
  }

 private:
  const ValueWriterPtr key_writer_;
  const ValueWriterPtr value_writer_;
};

// STRUCT of what is no struct: {"_value": str(x)}, as Feast does.
class LoneValueWriter final : public ValueWriter {
 public:
  explicit LoneValueWriter(ValueWriterPtr writer) : writer_(std::move(writer)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    return WriteEntry(kLoneValueKey, writer_.get(), array, row, out);
  }

 private:
  const ValueWriterPtr writer_;
};

template <typename TextArray>
class JsonEntriesWriter final : public ValueWriter {
 public:
  explicit JsonEntriesWriter(bool is_struct) : is_struct_(is_struct) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    return WriteJsonEntries(CellReader<TextArray>(array)[row].value, is_struct_, out);
  }

 private:
  const bool is_struct_;
};

template <typename TextArray>
class JsonMapListWriter final : public ValueWriter {
 public:
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    return WriteJsonMapList(CellReader<TextArray>(array)[row].value, out);
  }
};

class ZonedTimestampWriter final : public ValueWriter {
 public:
  ZonedTimestampWriter(int field, std::string zone) : field_(field), zone_(std::move(zone)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const int64_t seconds = CellReader<arrow::TimestampArray>(array)[row].Seconds();
    LengthFrame message(field_, out);
    if (seconds != 0) {  // Zero is protobuf's default and not written.
      AppendTag(1, WireType::kVarint, out);
      AppendVarint(static_cast<uint64_t>(seconds), out);
    }
    AppendBytesField(2, zone_, out);
    message.Close();
    return Status::OK();
  }

 private:
  const int field_;
  const std::string zone_;
};

bool IsNullType(const arrow::DataType& type) { return type.id() == arrow::Type::NA; }

ValueWriterPtr MakeStructEntriesWriter(const arrow::DataType& type) {
  std::vector<StructEntriesWriter::Member> members;
  for (int i = 0; i < type.num_fields(); ++i) {
    const arrow::Field& field = *type.field(i);
    ValueWriterPtr writer;
    if (!IsNullType(*field.type())) {
      writer = MakeInferredWriter(*field.type());
      if (writer == nullptr) return nullptr;
    }
    members.push_back({field.name(), i, std::move(writer)});
  }
  std::ranges::stable_sort(members, {}, &StructEntriesWriter::Member::name);
  const auto same = std::ranges::adjacent_find(members, {}, &StructEntriesWriter::Member::name);
  if (same != members.end()) return nullptr;
  return std::make_unique<StructEntriesWriter>(std::move(members));
}

ValueWriterPtr MakeMapEntriesWriter(const arrow::MapType& type) {
  ValueWriterPtr writer;
  if (!IsNullType(*type.item_type())) {
    writer = MakeInferredWriter(*type.item_type());
    if (writer == nullptr) return nullptr;
  }
  switch (type.key_type()->id()) {
    case arrow::Type::STRING:
      return std::make_unique<MapEntriesWriter<arrow::StringArray>>(std::move(writer));
    case arrow::Type::LARGE_STRING:
      return std::make_unique<MapEntriesWriter<arrow::LargeStringArray>>(std::move(writer));
    default:
      return nullptr;
  }
}

// The entries of a Map message.
ValueWriterPtr MakeEntriesWriter(bool is_struct, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return MakeStructEntriesWriter(type);
    case arrow::Type::MAP:
      return MakeMapEntriesWriter(checked_cast<const arrow::MapType&>(type));
    case arrow::Type::STRING:
      return std::make_unique<JsonEntriesWriter<arrow::StringArray>>(is_struct);
    case arrow::Type::LARGE_STRING:
      return std::make_unique<JsonEntriesWriter<arrow::LargeStringArray>>(is_struct);
    default:
      break;
  }
  if (!is_struct) return nullptr;
  ValueWriterPtr text = MakeScalarWriter(ValueType::kString, 2, type);
  if (text == nullptr) return nullptr;
  return std::make_unique<LoneValueWriter>(std::move(text));
}

// Field of feast.types.MapKey for a key of this type; 0: none.
int MapKeyFieldOf(ValueType key) {
  switch (key) {
    case ValueType::kInt64:
      return 2;
    case ValueType::kDouble:
      return 4;
    case ValueType::kBool:
      return 5;
    case ValueType::kUnixTimestamp:
      return 6;
    case ValueType::kBytes:
      return 7;
    case ValueType::kDecimal:
      return 10;
    default:
      return 0;
  }
}

ValueWriterPtr MakeInferredListWriter(const arrow::DataType& type) {
  const arrow::DataType& element = *type.field(0)->type();
  if (IsList(element)) return MakeNestedListWriter(ValueType::kUnknown, kListVal, type);
  if (element.id() == arrow::Type::STRUCT || element.id() == arrow::Type::MAP)
    return MakeMapListWriter(ValueType::kMap, kMapListVal, type);
  const ValueType scalar = InferredScalarOf(element);
  for (const ValueTypeRow& row : ValueTypes()) {
    if (row.shape == ValueShape::kList && row.element == scalar && scalar != ValueType::kUnknown)
      return MakeScalarListWriter(scalar, ValueShape::kList, row.field, type);
  }
  return nullptr;
}

}  // namespace

ValueWriterPtr MakeMapWriter(ValueType map_or_struct, int field, const arrow::DataType& type) {
  return MakeFramedWriter(field, MakeEntriesWriter(map_or_struct == ValueType::kStruct, type));
}

ValueWriterPtr MakeMapListWriter(ValueType map_or_struct, int field, const arrow::DataType& type) {
  if (type.id() == arrow::Type::STRING)
    return MakeFramedWriter(field, std::make_unique<JsonMapListWriter<arrow::StringArray>>());
  if (type.id() == arrow::Type::LARGE_STRING)
    return MakeFramedWriter(field, std::make_unique<JsonMapListWriter<arrow::LargeStringArray>>());
  if (!IsList(type)) return nullptr;
  auto entries = MakeEntriesWriter(map_or_struct == ValueType::kStruct, *type.field(0)->type());
  return MakeFramedWriter(field, MakeEachElementWriter(std::move(entries), {}));
}

ValueWriterPtr MakeScalarMapWriter(int field, const arrow::DataType& type) {
  if (type.id() != arrow::Type::MAP) return nullptr;
  const auto& map = checked_cast<const arrow::MapType&>(type);
  const ValueType key = InferredScalarOf(*map.key_type());
  const int key_field = MapKeyFieldOf(key);
  if (key_field == 0) return nullptr;
  ValueWriterPtr value_writer;
  if (!IsNullType(*map.item_type())) {
    value_writer = MakeInferredWriter(*map.item_type());
    if (value_writer == nullptr) return nullptr;
  }
  return MakeFramedWriter(
      field, std::make_unique<ScalarMapEntriesWriter>(
                 MakeScalarWriter(key, key_field, *map.key_type()), std::move(value_writer)));
}

ValueWriterPtr MakeZonedTimestampWriter(int field, const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return nullptr;
  const std::string& zone = checked_cast<const arrow::TimestampType&>(type).timezone();
  if (zone.empty()) return nullptr;
  return std::make_unique<ZonedTimestampWriter>(field, zone);
}

ValueType InferredScalarOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return ValueType::kBool;
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return ValueType::kDouble;
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
      return ValueType::kString;
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return ValueType::kBytes;
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return ValueType::kUnixTimestamp;
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return ValueType::kDecimal;
    default:
      return arrow::is_integer(type.id()) ? ValueType::kInt64 : ValueType::kUnknown;
  }
}

ValueWriterPtr MakeInferredWriter(const arrow::DataType& type) {
  if (IsList(type)) return MakeInferredListWriter(type);
  // Text inside a map is text, not JSON.
  if (type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::MAP)
    return MakeMapWriter(ValueType::kMap, kMapVal, type);
  const ValueType scalar = InferredScalarOf(type);
  const ValueTypeRow* row = FindValueType(scalar);
  return row == nullptr ? nullptr : MakeScalarWriter(scalar, row->field, type);
}

}  // namespace banquet
