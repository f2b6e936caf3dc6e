#pragma once
// MurmurHash3, which names Feast's fields in Redis and its items in DynamoDB (feast-compat 5.4).

#include <cstdint>
#include <string>
#include <string_view>

namespace banquet {

// MurmurHash3 x86 32-bit. Feast's seed is 0; Redis fields are the four bytes of the hash, least
// first.
uint32_t Murmur3x86Hash32(std::string_view bytes, uint32_t seed = 0);

// MurmurHash3 x64 128-bit, seed 0, as Feast's ids of entities: both halves least byte first, in
// lower-case hexadecimal.
std::string Murmur3x64Hash128Hex(std::string_view bytes);

}  // namespace banquet
