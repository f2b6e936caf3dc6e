#pragma once
// Postgres' binary forms of values: big-endian numbers, times in microseconds since 2000-01-01Z.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace banquet::postgres {

inline constexpr int64_t kEpochUs = 946'684'800'000'000;  // 2000-01-01T00:00:00Z

template <typename T>
T ByteSwapped(T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  std::reverse(bytes, bytes + sizeof(T));
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}
static_assert(std::endian::native == std::endian::little);

template <typename T>
void PutNumber(T value, std::string* out) {
  const T swapped = ByteSwapped(value);
  out->append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

// `bytes` holds exactly one T.
template <typename T>
T NumberOf(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return ByteSwapped(value);
}

}  // namespace banquet::postgres
