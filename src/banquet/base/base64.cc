#include "banquet/base/base64.h"

#include <cstdint>

namespace banquet {
namespace {

// The six bits of a letter, or -1.
int SextetOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int bit_count = 0;
  size_t letters = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int sextet = SextetOf(c);
    if (sextet < 0 || padding > 0) return std::nullopt;
    ++letters;
    bits = (bits << 6 | static_cast<uint32_t>(sextet)) & 0xFFFF;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes += static_cast<char>(bits >> bit_count & 0xFF);
    }
  }
  if (letters % 4 == 1) return std::nullopt;
  if (padding > 0 && (letters + padding) % 4 != 0) return std::nullopt;
  if (padding > 2) return std::nullopt;
  return bytes;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + (bytes.size() + 2) / 3 * 4);
  char* to = out->data() + begin;
  const auto byte = [&](size_t i) {
    return i < bytes.size() ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) : 0U;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    *to++ = kAlphabet[bits >> 18];
    *to++ = kAlphabet[bits >> 12 & 63];
    *to++ = i + 1 < bytes.size() ? kAlphabet[bits >> 6 & 63] : '=';
    *to++ = i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=';
  }
}

}  // namespace banquet
