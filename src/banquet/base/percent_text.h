#pragma once
// The escapes of URLs (RFC 3986, section 2.1).

#include <string>
#include <string_view>

namespace banquet {

// %XX decoded; a '%' that begins no such pair stays.
std::string PercentDecoded(std::string_view text);

// All but letters, digits, '-', '.', '_', '~' and the letters of `kept` as %XX.
std::string PercentEncoded(std::string_view text, std::string_view kept = {});

}  // namespace banquet
