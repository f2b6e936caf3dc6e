#pragma once
// Hashes of entity keys. Private to a process: nothing stored depends on them.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace banquet {

// Folds a 64x64 bit product: every bit of both factors reaches every bit of the result.
inline uint64_t FoldedProduct(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline constexpr uint64_t kHashSeed = 0x9e3779b97f4a7c15;    // 2^64 / golden ratio.
inline constexpr uint64_t kHashFactor = 0xd6e8feb86659fd93;  // An odd number with mixed bits.

inline uint64_t HashNumber(uint64_t number) {
  return FoldedProduct(number ^ kHashSeed, kHashFactor);
}

inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = FoldedProduct(bytes.size() ^ kHashSeed, kHashFactor);
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    hash = FoldedProduct(hash ^ word, kHashFactor);
    bytes.remove_prefix(sizeof(word));
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return FoldedProduct(hash ^ rest, kHashSeed ^ kHashFactor);
}

}  // namespace banquet
