#pragma once
// Dates of HTTP headers (RFC 9110, section 5.6.7).

#include <cstdint>
#include <string>

namespace banquet {

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT"; 0: it is none.
int64_t SecondsOfHttpDate(const std::string& text);

}  // namespace banquet
