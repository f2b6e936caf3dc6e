#include "banquet/encode/value_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "banquet/encode/python_text.h"

namespace banquet {
namespace {

constexpr int kNestingMax = 100;
constexpr int kVarintBytesMax = 10;
constexpr uint32_t kFieldNumberMax = (1U << 29) - 1;
constexpr uint32_t kNullField = 19;  // null_val, which Feast never writes.

Status Damaged(std::string_view what) { return DataError("A stored value is damaged: {}", what); }

enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Tag {
  uint32_t field = 0;
  Wire wire = Wire::kVarint;
};

// Reads protobuf's wire format from bytes that outlive it. Strict: takes what a serializer writes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  bool AtEnd() const { return rest_.empty(); }

  Result<uint64_t> Varint() {
    uint64_t value = 0;
    for (int i = 0; i < kVarintBytesMax; ++i) {
      if (rest_.empty()) return Damaged("a number is cut off");
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (i == kVarintBytesMax - 1 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    return Damaged("a number has more than 64 bits");
  }

  Result<uint64_t> Fixed(size_t size) {
    if (rest_.size() < size) return Damaged("a number is cut off");
    uint64_t value = 0;
    for (size_t i = size; i > 0; --i) value = (value << 8) | static_cast<uint8_t>(rest_[i - 1]);
    rest_.remove_prefix(size);
    return value;
  }

  Result<std::string_view> Bytes() {
    BANQUET_ASSIGN_OR_RETURN(const uint64_t size, Varint());
    if (size > rest_.size()) return Damaged("a text or message is cut off");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  Result<Tag> NextTag() {
    BANQUET_ASSIGN_OR_RETURN(const uint64_t key, Varint());
    const uint64_t field = key >> 3;
    if (field == 0 || field > kFieldNumberMax) return Damaged("a field number is out of range");
    const auto wire = static_cast<Wire>(key & 7);
    if (wire != Wire::kVarint && wire != Wire::kFixed64 && wire != Wire::kBytes &&
        wire != Wire::kFixed32) {
      return Damaged("a field has an unknown wire type");
    }
    return Tag{static_cast<uint32_t>(field), wire};
  }

 private:
  std::string_view rest_;
};

Wire WireOf(ValueType element) {
  switch (element) {
    case ValueType::kInt32:
    case ValueType::kInt64:
    case ValueType::kBool:
    case ValueType::kUnixTimestamp:
      return Wire::kVarint;
    case ValueType::kDouble:
      return Wire::kFixed64;
    case ValueType::kFloat:
      return Wire::kFixed32;
    default:
      return Wire::kBytes;
  }
}

// The row of the oneof's field. BYTES stands before the other types of field 1.
const ValueTypeRow* RowOfField(uint32_t field) {
  const auto rows = ValueTypes();
  const auto row =
      std::ranges::find(rows, field, [](const auto& r) { return static_cast<uint32_t>(r.field); });
  return row == rows.end() ? nullptr : &*row;
}

Status AppendString(std::string_view text, std::string* out) {
  try {
    out->append(nlohmann::json(text).dump());
  } catch (const nlohmann::json::exception&) {
    return Damaged("text is not UTF-8");
  }
  return Status::OK();
}

void AppendBase64(std::string_view bytes, std::string* out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out->push_back('"');
  while (!bytes.empty()) {
    const size_t count = std::min<size_t>(bytes.size(), 3);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i)
      bits = (bits << 8) | (i < count ? static_cast<uint8_t>(bytes[i]) : 0U);
    for (size_t i = 0; i < 4; ++i) {
      out->push_back(i <= count ? kDigits[(bits >> (18 - 6 * i)) & 63] : '=');
    }
    bytes.remove_prefix(count);
  }
  out->push_back('"');
}

void AppendFloat(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("\"NaN\"");
  } else if (std::isinf(value)) {
    out->append(value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
  } else {
    AppendPythonFloat(value, out);
  }
}

Status AppendNumber(ValueType type, WireReader* reader, std::string* out) {
  switch (WireOf(type)) {
    case Wire::kFixed64: {
      BANQUET_ASSIGN_OR_RETURN(const uint64_t bits, reader->Fixed(8));
      AppendFloat(std::bit_cast<double>(bits), out);
      return Status::OK();
    }
    case Wire::kFixed32: {
      BANQUET_ASSIGN_OR_RETURN(const uint64_t bits, reader->Fixed(4));
      AppendFloat(std::bit_cast<float>(static_cast<uint32_t>(bits)), out);
      return Status::OK();
    }
    default:
      break;
  }
  BANQUET_ASSIGN_OR_RETURN(const uint64_t value, reader->Varint());
  if (type == ValueType::kBool) {
    out->append(value != 0 ? "true" : "false");
  } else if (type == ValueType::kInt32) {
    AppendPythonInt(static_cast<int32_t>(value), out);
  } else {
    AppendPythonInt(static_cast<int64_t>(value), out);
  }
  return Status::OK();
}

Status AppendValue(std::string_view bytes, int depth, std::string* out);

// A member of an object: the key as JSON text, the value as stored.
using Member = std::pair<std::string, std::string_view>;

Status AppendObject(std::vector<Member> members, int depth, std::string* out) {
  std::ranges::stable_sort(members, {}, &Member::first);
  out->push_back('{');
  bool first = true;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i + 1].first == members[i].first) continue;
    if (!std::exchange(first, false)) out->append(", ");
    out->append(members[i].first);
    out->append(": ");
    BANQUET_RETURN_NOT_OK(AppendValue(members[i].second, depth + 1, out));
  }
  out->push_back('}');
  return Status::OK();
}

// Fields 1 and 2 of a map's entry, as stored.
struct Entry {
  std::string_view key;
  std::string_view value;
};

Result<std::vector<Entry>> ReadEntries(std::string_view map) {
  std::vector<Entry> entries;
  for (WireReader reader(map); !reader.AtEnd();) {
    BANQUET_ASSIGN_OR_RETURN(const Tag tag, reader.NextTag());
    if (tag.field != 1 || tag.wire != Wire::kBytes) return Damaged("a map has an unknown field");
    BANQUET_ASSIGN_OR_RETURN(const std::string_view bytes, reader.Bytes());
    Entry& entry = entries.emplace_back();
    for (WireReader fields(bytes); !fields.AtEnd();) {
      BANQUET_ASSIGN_OR_RETURN(const Tag field, fields.NextTag());
      if (field.field > 2 || field.wire != Wire::kBytes) {
        return Damaged("a map's entry has an unknown field");
      }
      BANQUET_ASSIGN_OR_RETURN((field.field == 1 ? entry.key : entry.value), fields.Bytes());
    }
  }
  return entries;
}

Status AppendMap(std::string_view map, int depth, std::string* out) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadEntries(map));
  std::vector<Member> members;
  for (const Entry& entry : entries) {
    BANQUET_RETURN_NOT_OK(AppendString(entry.key, &members.emplace_back("", entry.value).first));
  }
  return AppendObject(std::move(members), depth, out);
}

Status AppendScalar(ValueType type, Wire wire, WireReader* reader, int depth, std::string* out);

// A MapKey: one field of ten.
Result<std::string> ReadMapKey(std::string_view bytes) {
  using enum ValueType;
  constexpr ValueType kTypes[] = {kInt32,         kInt64, kFloat, kDouble,   kBool,
                                  kUnixTimestamp, kBytes, kUuid,  kTimeUuid, kDecimal};
  WireReader reader(bytes);
  if (reader.AtEnd()) return Damaged("a map's entry has no key");
  BANQUET_ASSIGN_OR_RETURN(const Tag tag, reader.NextTag());
  if (tag.field > std::size(kTypes)) return Damaged("a map's key has an unknown field");
  std::string key;
  BANQUET_RETURN_NOT_OK(AppendScalar(kTypes[tag.field - 1], tag.wire, &reader, 0, &key));
  if (!reader.AtEnd()) return Damaged("a map's key has left-over bytes");
  if (!key.starts_with('"')) key = '"' + key + '"';
  return key;
}

Status AppendScalarMap(std::string_view map, int depth, std::string* out) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadEntries(map));
  std::vector<Member> members;
  for (const Entry& entry : entries) {
    BANQUET_ASSIGN_OR_RETURN(std::string key, ReadMapKey(entry.key));
    members.emplace_back(std::move(key), entry.value);
  }
  return AppendObject(std::move(members), depth, out);
}

Status AppendZonedTimestamp(std::string_view bytes, std::string* out) {
  uint64_t seconds = 0;
  std::string_view zone;
  for (WireReader reader(bytes); !reader.AtEnd();) {
    BANQUET_ASSIGN_OR_RETURN(const Tag tag, reader.NextTag());
    if (tag.field == 1 && tag.wire == Wire::kVarint) {
      BANQUET_ASSIGN_OR_RETURN(seconds, reader.Varint());
    } else if (tag.field == 2 && tag.wire == Wire::kBytes) {
      BANQUET_ASSIGN_OR_RETURN(zone, reader.Bytes());
    } else {
      return Damaged("a zoned timestamp has an unknown field");
    }
  }
  out->append("{\"unix_timestamp\": ");
  AppendPythonInt(static_cast<int64_t>(seconds), out);
  out->append(", \"zone\": ");
  BANQUET_RETURN_NOT_OK(AppendString(zone, out));
  out->push_back('}');
  return Status::OK();
}

// One element, or a value that is no list. kUnknown is a whole Value.
Status AppendScalar(ValueType type, Wire wire, WireReader* reader, int depth, std::string* out) {
  if (wire != WireOf(type)) return Damaged("a field has the wire type of another");
  if (wire != Wire::kBytes) return AppendNumber(type, reader, out);
  BANQUET_ASSIGN_OR_RETURN(const std::string_view bytes, reader->Bytes());
  switch (type) {
    case ValueType::kBytes:
      AppendBase64(bytes, out);
      return Status::OK();
    case ValueType::kMap:
    case ValueType::kStruct:
      return AppendMap(bytes, depth, out);
    case ValueType::kScalarMap:
      return AppendScalarMap(bytes, depth, out);
    case ValueType::kZonedTimestamp:
      return AppendZonedTimestamp(bytes, out);
    case ValueType::kUnknown:
      return AppendValue(bytes, depth + 1, out);
    default:
      return AppendString(bytes, out);
  }
}

// A *List, *Set or RepeatedValue: `repeated val = 1`. Numbers may be packed.
Status AppendList(ValueType element, std::string_view list, int depth, std::string* out) {
  const bool is_number = WireOf(element) != Wire::kBytes;
  out->push_back('[');
  bool first = true;
  for (WireReader reader(list); !reader.AtEnd();) {
    BANQUET_ASSIGN_OR_RETURN(const Tag tag, reader.NextTag());
    if (tag.field != 1) return Damaged("a list has an unknown field");
    if (!is_number || tag.wire != Wire::kBytes) {
      if (!std::exchange(first, false)) out->append(", ");
      BANQUET_RETURN_NOT_OK(AppendScalar(element, tag.wire, &reader, depth, out));
      continue;
    }
    BANQUET_ASSIGN_OR_RETURN(const std::string_view packed, reader.Bytes());
    for (WireReader numbers(packed); !numbers.AtEnd();) {
      if (!std::exchange(first, false)) out->append(", ");
      BANQUET_RETURN_NOT_OK(AppendNumber(element, &numbers, out));
    }
  }
  out->push_back(']');
  return Status::OK();
}

Status AppendValue(std::string_view bytes, int depth, std::string* out) {
  if (depth > kNestingMax) return Damaged("values lie too deep inside each other");
  WireReader reader(bytes);
  if (reader.AtEnd()) {
    out->append("null");
    return Status::OK();
  }
  BANQUET_ASSIGN_OR_RETURN(const Tag tag, reader.NextTag());
  const ValueTypeRow* row = RowOfField(tag.field);
  if (tag.field == kNullField && tag.wire == Wire::kVarint) {
    BANQUET_RETURN_NOT_OK(reader.Varint().status());
    out->append("null");
  } else if (row == nullptr) {
    return DataError(
        "A stored value has a type that is not known here; it was written by a newer "
        "Feast, or is damaged: field {}",
        tag.field);
  } else if (row->shape == ValueShape::kScalar) {
    BANQUET_RETURN_NOT_OK(AppendScalar(row->type, tag.wire, &reader, depth, out));
  } else {
    if (tag.wire != Wire::kBytes) return Damaged("a field has the wire type of another");
    BANQUET_ASSIGN_OR_RETURN(const std::string_view list, reader.Bytes());
    BANQUET_RETURN_NOT_OK(AppendList(row->element, list, depth, out));
  }
  if (!reader.AtEnd()) return Damaged("there are bytes behind the value");
  return Status::OK();
}

}  // namespace

Result<std::string> ValueToJson(std::string_view value_bytes) {
  std::string json;
  BANQUET_RETURN_NOT_OK(AppendValue(value_bytes, 0, &json));
  return json;
}

}  // namespace banquet
