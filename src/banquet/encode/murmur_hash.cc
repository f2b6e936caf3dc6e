#include "banquet/encode/murmur_hash.h"

#include <bit>

namespace banquet {
namespace {

// Reads up to four bytes as a little-endian number, whatever the host's order.
uint32_t LittleEndian(std::string_view bytes) {
  uint32_t word = 0;
  for (size_t i = bytes.size(); i > 0; --i) word = (word << 8) | static_cast<uint8_t>(bytes[i - 1]);
  return word;
}

uint32_t Scramble(uint32_t word) { return std::rotl(word * 0xcc9e2d51U, 15) * 0x1b873593U; }

}  // namespace

uint32_t Murmur3x86Hash32(std::string_view bytes, uint32_t seed) {
  uint32_t hash = seed;
  const auto length = static_cast<uint32_t>(bytes.size());
  while (bytes.size() >= 4) {
    hash ^= Scramble(LittleEndian(bytes.substr(0, 4)));
    hash = std::rotl(hash, 13) * 5 + 0xe6546b64U;
    bytes.remove_prefix(4);
  }
  if (!bytes.empty()) hash ^= Scramble(LittleEndian(bytes));
  hash ^= length;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6bU;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35U;
  return hash ^ (hash >> 16);
}

}  // namespace banquet
