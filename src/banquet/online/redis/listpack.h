#pragma once
// Elements of Redis' listpack, encoded as the server itself would (redis/src/listpack.c).

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace banquet::redis {

constexpr size_t kListpackHeadBytes = 6;  // Total bytes (4), elements (2), least byte first.
constexpr unsigned char kListpackEnd = 0xff;
constexpr size_t kListpackElementsMax = 65534;  // Above, the head does not tell their number.
// An element is at most so much longer than its string: five bytes before it and five after.
constexpr size_t kListpackOverheadMax = 10;

// The integer that Redis stores in place of this text: decimal, as printed, within 64 bits.
std::optional<int64_t> ListpackInteger(std::string_view text);

// The bytes that tell the length of an element's encoding to one who reads backwards.
constexpr size_t ListpackBacklengthBytes(size_t bytes) {
  if (bytes <= 127) return 1;
  if (bytes < 16383) return 2;
  if (bytes < 2097151) return 3;
  return bytes < 268435455 ? 4 : 5;
}

// The bytes of a string's element, unless it is stored as an integer.
constexpr size_t ListpackStringBytes(size_t size) {
  const size_t head = size < 64 ? 1 : size < 4096 ? 2 : 5;
  return head + size + ListpackBacklengthBytes(head + size);
}

// May this text be an integer? Cheap, and right where it says no.
inline bool MayBeListpackInteger(std::string_view text) {
  if (text.empty()) return false;
  const char first = text.front();
  return first == '-' || static_cast<unsigned char>(first - '0') <= 9;
}

// Writes an element and returns its end.
char* PutListpackElement(char* out, std::string_view text);

}  // namespace banquet::redis
