#pragma once
// Names in SQL text.

#include <string>
#include <string_view>

namespace banquet {

// A name as standard SQL takes any: in double quotes, its own doubled. A name cannot hold NUL.
std::string QuoteName(std::string_view name);

}  // namespace banquet
