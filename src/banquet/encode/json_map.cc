#include "banquet/encode/json_map.h"

#include <algorithm>
#include <vector>

#include "banquet/encode/json_value.h"
#include "banquet/encode/scalar_wire.h"
#include "banquet/encode/value_rules.h"
#include "banquet/encode/wire.h"
#include "banquet/model/value_type.h"

namespace banquet {
namespace {

using Kind = JsonValue::Kind;

constexpr int kMapVal = 20;
constexpr int kMapListVal = 21;
constexpr int kListVal = 42;

Status WriteValue(const JsonValue& value, std::string* out);

Status WriteEntries(const JsonValue& object, std::string* out) {
  for (size_t i = 0; i < object.items.size(); ++i) {
    LengthFrame entry(1, out);
    AppendBytesField(1, object.keys[i], out);
    LengthFrame value(2, out);
    BANQUET_RETURN_NOT_OK(WriteValue(object.items[i], out));
    value.Close();
    entry.Close();
  }
  return Status::OK();
}

Status WriteMaps(const std::vector<JsonValue>& objects, std::string* out) {
  for (const JsonValue& object : objects) {
    LengthFrame map(1, out);
    BANQUET_RETURN_NOT_OK(WriteEntries(object, out));
    map.Close();
  }
  return Status::OK();
}

Result<int64_t> IntegerOf(const JsonValue& value) {
  int64_t number = 0;
  if (ParsePythonInt(value.text, &number) == Outcome::kSet) return number;
  return DataError("JSON integer is beyond 64 bits: {}", value.text.substr(0, 40));
}

double RealOf(const JsonValue& value) {
  double real = 0;
  ParsePythonFloat(value.text, &real);
  return real;
}

// Numbers of one list as DOUBLE_LIST; integers among them are widened.
void WriteReals(const std::vector<JsonValue>& items, std::string* out) {
  LengthFrame list(static_cast<int>(ValueType::kDoubleList), out);
  LengthFrame packed(1, out);
  for (const JsonValue& item : items) AppendFixed(RealOf(item), out);
  packed.Close();
  list.Close();
}

Status WriteIntegers(const std::vector<JsonValue>& items, std::string* out) {
  LengthFrame list(static_cast<int>(ValueType::kInt64List), out);
  LengthFrame packed(1, out);
  for (const JsonValue& item : items) {
    BANQUET_ASSIGN_OR_RETURN(const int64_t number, IntegerOf(item));
    AppendVarint(static_cast<uint64_t>(number), out);
  }
  packed.Close();
  list.Close();
  return Status::OK();
}

void WriteBools(const std::vector<JsonValue>& items, std::string* out) {
  LengthFrame list(static_cast<int>(ValueType::kBoolList), out);
  LengthFrame packed(1, out);
  for (const JsonValue& item : items) out->push_back(item.flag ? '\1' : '\0');
  packed.Close();
  list.Close();
}

Status WriteLists(const std::vector<JsonValue>& items, std::string* out) {
  LengthFrame list(kListVal, out);
  for (const JsonValue& item : items) {
    LengthFrame value(1, out);
    if (!item.items.empty()) BANQUET_RETURN_NOT_OK(WriteValue(item, out));
    value.Close();
  }
  list.Close();
  return Status::OK();
}

Status WriteArray(const std::vector<JsonValue>& items, std::string* out) {
  if (items.empty()) return DataError("An empty list inside a map has no type; leave the key out");
  Kind kind = items[0].kind;
  for (const JsonValue& item : items) {
    const bool both_numbers = (item.kind == Kind::kInteger || item.kind == Kind::kReal) &&
                              (kind == Kind::kInteger || kind == Kind::kReal);
    if (item.kind != kind && !both_numbers) return DataError("A list inside a map mixes types");
    if (both_numbers && item.kind == Kind::kReal) kind = Kind::kReal;
  }
  switch (kind) {
    case Kind::kNull:
      return DataError("A list inside a map has only nulls, so no type");
    case Kind::kBool:
      WriteBools(items, out);
      return Status::OK();
    case Kind::kInteger:
      return WriteIntegers(items, out);
    case Kind::kReal:
      WriteReals(items, out);
      return Status::OK();
    case Kind::kArray:
      return WriteLists(items, out);
    case Kind::kObject: {
      LengthFrame maps(kMapListVal, out);
      BANQUET_RETURN_NOT_OK(WriteMaps(items, out));
      maps.Close();
      return Status::OK();
    }
    case Kind::kText:
      break;
  }
  LengthFrame list(static_cast<int>(ValueType::kStringList), out);
  for (const JsonValue& item : items) AppendBytesField(1, item.text, out);
  list.Close();
  return Status::OK();
}

// The fields of a Value; none for null.
Status WriteValue(const JsonValue& value, std::string* out) {
  switch (value.kind) {
    case Kind::kNull:
      return Status::OK();
    case Kind::kBool:
      AppendScalarField<BoolRule>(static_cast<int>(ValueType::kBool), value.flag, out);
      return Status::OK();
    case Kind::kInteger: {
      BANQUET_ASSIGN_OR_RETURN(const int64_t number, IntegerOf(value));
      AppendScalarField<IntRule<int64_t>>(static_cast<int>(ValueType::kInt64), number, out);
      return Status::OK();
    }
    case Kind::kReal: {
      const double real = RealOf(value);
      if (!std::isnan(real))
        AppendScalarField<RealRule<double>>(static_cast<int>(ValueType::kDouble), real, out);
      return Status::OK();
    }
    case Kind::kText:
      AppendBytesField(static_cast<int>(ValueType::kString), value.text, out);
      return Status::OK();
    case Kind::kArray:
      return WriteArray(value.items, out);
    case Kind::kObject:
      break;
  }
  LengthFrame map(kMapVal, out);
  BANQUET_RETURN_NOT_OK(WriteEntries(value, out));
  map.Close();
  return Status::OK();
}

}  // namespace

Status WriteJsonEntries(std::string_view text, bool is_struct, std::string* out) {
  BANQUET_ASSIGN_OR_RETURN(const JsonValue value, ParseJson(text, kMapDepthMax));
  if (value.kind == Kind::kObject) return WriteEntries(value, out);
  if (!is_struct) return DataError("JSON is no object: {}", text.substr(0, 80));
  LengthFrame entry(1, out);
  AppendBytesField(1, kLoneValueKey, out);
  LengthFrame lone(2, out);
  AppendBytesField(static_cast<int>(ValueType::kString), text, out);
  lone.Close();
  entry.Close();
  return Status::OK();
}

Status WriteJsonMapList(std::string_view text, std::string* out) {
  BANQUET_ASSIGN_OR_RETURN(const JsonValue value, ParseJson(text, kMapDepthMax));
  const auto is_object = [](const JsonValue& item) { return item.kind == Kind::kObject; };
  if (value.kind != Kind::kArray || !std::ranges::all_of(value.items, is_object))
    return DataError("JSON is no array of objects: {}", text.substr(0, 80));
  return WriteMaps(value.items, out);
}

}  // namespace banquet
