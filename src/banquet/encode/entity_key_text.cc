#include "banquet/encode/entity_key_text.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "banquet/base/hex_text.h"
#include "banquet/model/value_type.h"

namespace banquet {
namespace {

template <typename T>
std::optional<T> TakeNumber(std::string_view* bytes) {
  if (bytes->size() < sizeof(T)) return std::nullopt;
  T number;
  std::memcpy(&number, bytes->data(), sizeof number);
  bytes->remove_prefix(sizeof number);
  return number;
}

// What a length stands before.
std::optional<std::string_view> TakeText(std::string_view* bytes) {
  const auto size = TakeNumber<uint32_t>(bytes);
  if (!size.has_value() || bytes->size() < *size) return std::nullopt;
  const std::string_view text = bytes->substr(0, *size);
  bytes->remove_prefix(*size);
  return text;
}

std::optional<std::string> ValueText(ValueType type, std::string_view bytes) {
  switch (type) {
    case ValueType::kString:
      return std::string(bytes);
    case ValueType::kBytes:
      return HexOf(bytes);
    case ValueType::kInt32:
      if (const auto number = TakeNumber<int32_t>(&bytes)) return std::to_string(*number);
      return std::nullopt;
    case ValueType::kInt64:
    case ValueType::kUnixTimestamp:
      if (const auto number = TakeNumber<int64_t>(&bytes)) return std::to_string(*number);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> Decode(std::string_view bytes) {
  const auto count = TakeNumber<uint32_t>(&bytes);
  if (!count.has_value()) return std::nullopt;
  std::vector<std::string_view> names;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto type = TakeNumber<uint32_t>(&bytes);
    const auto name = TakeText(&bytes);
    if (!type.has_value() || !name.has_value()) return std::nullopt;
    names.push_back(*name);
  }
  std::string text;
  for (const std::string_view name : names) {
    const auto type = TakeNumber<uint32_t>(&bytes);
    const auto value = TakeText(&bytes);
    if (!type.has_value() || !value.has_value()) return std::nullopt;
    const auto shown = ValueText(static_cast<ValueType>(*type), *value);
    if (!shown.has_value()) return std::nullopt;
    text += (text.empty() ? "" : ",") + std::string(name) + "=" + *shown;
  }
  return bytes.empty() ? std::optional(text) : std::nullopt;
}

}  // namespace

std::string EntityKeyToText(std::string_view entity_key) {
  const std::optional<std::string> text = Decode(entity_key);
  return text.has_value() ? *text : HexOf(entity_key);
}

}  // namespace banquet
