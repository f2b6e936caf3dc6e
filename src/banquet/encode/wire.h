#pragma once
// Protobuf's wire format, as far as feast.types.Value needs it: varints, tags, fixed numbers,
// lengths.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace banquet {

static_assert(std::endian::native == std::endian::little, "Fixed numbers are copied as they lie");

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline constexpr int kVarintSizeMax = 10;
inline constexpr int kTagSizeMax = 5;

constexpr uint32_t TagOf(int field, WireType type) {
  return static_cast<uint32_t>(field) << 3 | static_cast<uint32_t>(type);
}

constexpr int VarintSize(uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }

// Writes at `at`, which has room for kVarintSizeMax; returns the end.
inline char* PutVarint(uint64_t value, char* at) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

template <typename Number>
char* PutFixed(Number value, char* at) {
  std::memcpy(at, &value, sizeof(value));
  return at + sizeof(value);
}

inline void AppendVarint(uint64_t value, std::string* out) {
  char buffer[kVarintSizeMax];
  out->append(buffer, static_cast<size_t>(PutVarint(value, buffer) - buffer));
}

template <typename Number>
void AppendFixed(Number value, std::string* out) {
  char buffer[sizeof(Number)];
  PutFixed(value, buffer);
  out->append(buffer, sizeof(buffer));
}

inline void AppendTag(int field, WireType type, std::string* out) {
  AppendVarint(TagOf(field, type), out);
}

inline void AppendBytesField(int field, std::string_view bytes, std::string* out) {
  AppendTag(field, WireType::kBytes, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

// A field whose length is known only after its content was appended: leaves room for a length of
// `size_guess`, and moves the content when the guess was of another width. Frames nest; each is
// closed once, innermost first.
class LengthFrame {
 public:
  LengthFrame(int field, std::string* out, uint64_t size_guess = 0) : out_(out) {
    AppendTag(field, WireType::kBytes, out);
    length_at_ = out->size();
    room_ = VarintSize(size_guess);
    out->append(static_cast<size_t>(room_), '\0');
  }
  void Close() {
    const uint64_t length = out_->size() - length_at_ - static_cast<size_t>(room_);
    char buffer[kVarintSizeMax];
    const auto size = static_cast<size_t>(PutVarint(length, buffer) - buffer);
    out_->replace(length_at_, static_cast<size_t>(room_), buffer, size);
  }

 private:
  std::string* out_;
  size_t length_at_ = 0;
  int room_ = 1;
};

}  // namespace banquet
