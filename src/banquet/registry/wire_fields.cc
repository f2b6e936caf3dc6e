#include "banquet/registry/wire_fields.h"

#include <optional>

namespace banquet {
namespace {

constexpr int kGroupDepthMax = 100;

// Reads from the front of what is left.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : left_(bytes) {}
  std::string_view left() const { return left_; }

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < 10 && i < left_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(left_[i]);
      value |= uint64_t{byte & 0x7Fu} << (7 * i);
      if (byte < 0x80) {
        left_.remove_prefix(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  bool Skip(uint64_t count) {
    if (count > left_.size()) return false;
    left_.remove_prefix(count);
    return true;
  }

  // Reads one field; false when the bytes are no protobuf.
  bool Field(int depth, WireField* field) {
    const std::string_view start = left_;
    const std::optional<uint64_t> tag = Varint();
    if (!tag.has_value() || *tag >> 32 != 0 || *tag >> 3 == 0) return false;
    field->number = static_cast<uint32_t>(*tag >> 3);
    field->type = static_cast<WireType>(*tag & 7);
    std::string_view value = left_;
    switch (field->type) {
      case WireType::kVarint:
        if (!Varint().has_value()) return false;
        break;
      case WireType::kFixed64:
        if (!Skip(8)) return false;
        break;
      case WireType::kFixed32:
        if (!Skip(4)) return false;
        break;
      case WireType::kBytes: {
        const std::optional<uint64_t> size = Varint();
        value = left_;
        if (!size.has_value() || !Skip(*size)) return false;
        break;
      }
      case WireType::kGroup:
        if (depth >= kGroupDepthMax || !Group(depth, field->number)) return false;
        break;
      case WireType::kGroupEnd:
        break;
      default:
        return false;
    }
    field->all = start.substr(0, start.size() - left_.size());
    field->value = value.substr(0, value.size() - left_.size());
    return true;
  }

 private:
  bool Group(int depth, uint32_t number) {
    WireField inner;
    while (Field(depth + 1, &inner)) {
      if (inner.type == WireType::kGroupEnd) return inner.number == number;
    }
    return false;
  }

  std::string_view left_;
};

void AppendVarint(uint64_t value, std::string* message) {
  while (value >= 0x80) {
    message->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  message->push_back(static_cast<char>(value));
}

void AppendTag(uint32_t number, WireType type, std::string* message) {
  AppendVarint((uint64_t{number} << 3) | static_cast<uint64_t>(type), message);
}

}  // namespace

Result<std::vector<WireField>> SplitFields(std::string_view message) {
  std::vector<WireField> fields;
  WireReader reader(message);
  while (!reader.left().empty()) {
    const size_t offset = message.size() - reader.left().size();
    WireField& field = fields.emplace_back();
    if (!reader.Field(0, &field) || field.type == WireType::kGroupEnd)
      return DataError("Damaged protobuf at byte {} of {}", offset, message.size());
  }
  return fields;
}

void AppendBytesField(uint32_t number, std::string_view content, std::string* message) {
  AppendTag(number, WireType::kBytes, message);
  AppendVarint(content.size(), message);
  message->append(content);
}

void AppendVarintField(uint32_t number, uint64_t value, std::string* message) {
  AppendTag(number, WireType::kVarint, message);
  AppendVarint(value, message);
}

}  // namespace banquet
