#pragma once
// Protobuf at the level of its bytes: what lets us change five fields of a registry and leave the
// rest bit for bit.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

// Wire types of protobuf's encoding.
enum class WireType : int {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

// One field as it stands in a message; borrows from it.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::string_view all;    // Tag, length and value.
  std::string_view value;  // kBytes: the content; else the raw bytes after the tag.

  bool Is(uint32_t wanted_number, WireType wanted_type) const {
    return number == wanted_number && type == wanted_type;
  }
};

// The fields of `message` in stored order; together they are all of its bytes. Data error when it
// is damaged.
Result<std::vector<WireField>> SplitFields(std::string_view message);

// Appends tag, length and content.
void AppendBytesField(uint32_t number, std::string_view content, std::string* message);
void AppendVarintField(uint32_t number, uint64_t value, std::string* message);

}  // namespace banquet
