#include "banquet/encode/value_equality.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "banquet/encode/value_reader.h"

namespace banquet {
namespace {

using Json = nlohmann::json;  // Its objects are sorted.

bool IsSet(ValueType type) {
  const ValueTypeRow* row = FindValueType(type);
  return row != nullptr && row->shape == ValueShape::kSet;
}

bool HasFreeOrder(ValueType type) {
  switch (type) {
    case ValueType::kMap:
    case ValueType::kMapList:
    case ValueType::kStruct:
    case ValueType::kStructList:
    case ValueType::kScalarMap:
      return true;
    default:
      return IsSet(type);
  }
}

std::optional<Json> InOneOrder(ValueType type, std::string_view bytes) {
  const Result<std::string> text = ValueToJson(bytes);
  if (!text.ok()) return std::nullopt;
  Json value = Json::parse(*text);
  if (IsSet(type) && value.is_array()) std::sort(value.begin(), value.end());
  return value;
}

}  // namespace

bool IsSameValue(ValueType type, std::string_view a, std::string_view b) {
  if (a == b) return true;
  // The order of entries changes no length.
  if (!HasFreeOrder(type) || a.size() != b.size()) return false;
  const std::optional<Json> value = InOneOrder(type, a);
  return value.has_value() && value == InOneOrder(type, b);
}

}  // namespace banquet
