#pragma once
// What locks of views are called, in folders and buckets.

#include <cstdint>
#include <string>
#include <string_view>

namespace banquet {

// FNV-1a: the same in every process and version.
uint64_t StableHash(std::string_view text);

// What a person recognizes a name by: its first 40 bytes, all but letters, digits, '_' and '-' as
// '_', so that no name leads elsewhere.
std::string ReadablePart(std::string_view text);

// The readable part of the view, and a hash that tells views apart.
std::string ViewLockName(const std::string& project, const std::string& view);

}  // namespace banquet
