#include "banquet/online/redis/listpack.h"

#include <charconv>

namespace banquet::redis {
namespace {

char* PutLittleEndian(char* out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) *out++ = static_cast<char>(number >> (8 * i));
  return out;
}

char* PutInteger(char* out, int64_t number) {
  const auto bits = static_cast<uint64_t>(number);
  const auto fits = [number](int bytes) {
    const int64_t limit = int64_t{1} << (8 * bytes - 1);
    return number >= -limit && number < limit;
  };
  if (number >= 0 && number <= 127) {
    *out++ = static_cast<char>(bits);
    return out;
  }
  if (number >= -4096 && number <= 4095) {
    *out++ = static_cast<char>(0xc0 | (bits >> 8 & 0x1f));
    *out++ = static_cast<char>(bits);
    return out;
  }
  const int bytes = fits(2) ? 2 : fits(3) ? 3 : fits(4) ? 4 : 8;
  *out++ = static_cast<char>(bytes == 8 ? 0xf4 : 0xef + bytes);
  return PutLittleEndian(out, bits, bytes);
}

char* PutString(char* out, std::string_view text) {
  const size_t size = text.size();
  if (size < 64) {
    *out++ = static_cast<char>(0x80 | size);
  } else if (size < 4096) {
    *out++ = static_cast<char>(0xe0 | size >> 8);
    *out++ = static_cast<char>(size);
  } else {
    *out++ = static_cast<char>(0xf0);
    out = PutLittleEndian(out, size, 4);
  }
  if (size > 0) std::memcpy(out, text.data(), size);
  return out + size;
}

// Most significant group of seven bits first; all but the first have the top bit set.
char* PutBacklength(char* out, size_t bytes) {
  const size_t groups = ListpackBacklengthBytes(bytes);
  for (size_t i = groups; i-- > 0;) {
    const size_t group = bytes >> (7 * i) & 0x7f;
    *out++ = static_cast<char>(i + 1 == groups ? group : group | 0x80);
  }
  return out;
}

}  // namespace

std::optional<int64_t> ListpackInteger(std::string_view text) {
  constexpr size_t kDigitsMax = 20;
  if (!MayBeListpackInteger(text) || text.size() > kDigitsMax) return std::nullopt;
  const std::string_view digits = text.front() == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits.front() == '0' && text.size() > 1)) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

char* PutListpackElement(char* out, std::string_view text) {
  const std::optional<int64_t> number = ListpackInteger(text);
  char* end = number.has_value() ? PutInteger(out, *number) : PutString(out, text);
  return PutBacklength(end, static_cast<size_t>(end - out));
}

}  // namespace banquet::redis
