#pragma once
// Version 4 UUIDs, as Feast stamps each registry write with one.

#include <string>

namespace banquet {

std::string RandomUuid();  // "89b63da7-3dab-4b8e-8d3a-06232ac1630b"

}  // namespace banquet
