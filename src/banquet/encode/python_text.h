#pragma once
// Values as Python's str() writes them: value_text (feast-compat 6.3) and what STRING makes of
// other types (4.7).

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace banquet {

// All functions append to `out` and allocate nothing else.

// str(float): the shortest digits that read back as the same double, an exponent outside 1e-4 ..
// 1e16, and always a point or an exponent: "1.0", "1e+16", "1e-05", "-0.0", "nan", "inf", "-inf". A
// float32 is widened first, as Feast does.
void AppendPythonFloat(double value, std::string* out);

// str(int), of any width; bool has its own word below.
void AppendPythonInt(int64_t value, std::string* out);
void AppendPythonInt(uint64_t value, std::string* out);
template <std::integral T>
requires(!std::same_as<T, bool>) void AppendPythonInt(T value, std::string* out) {
  if constexpr (std::signed_integral<T>) {
    AppendPythonInt(static_cast<int64_t>(value), out);
  } else {
    AppendPythonInt(static_cast<uint64_t>(value), out);
  }
}

// str(bool): "True", "False".
void AppendPythonBool(bool value, std::string* out);

// str(bytes): b'..' with escapes, in double quotes if only single ones are inside.
void AppendPythonBytes(std::string_view bytes, std::string* out);

}  // namespace banquet
