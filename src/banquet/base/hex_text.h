#pragma once
// Bytes for people.

#include <string>
#include <string_view>

namespace banquet {

// Two lower-case hexadecimal digits for each byte.
std::string HexOf(std::string_view bytes);

}  // namespace banquet
