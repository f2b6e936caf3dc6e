#include "banquet/encode/murmur_hash.h"

#include <bit>

#include "banquet/base/hex_text.h"

namespace banquet {
namespace {

// Reads up to as many bytes as a word has as a little-endian number, whatever the host's order.
template <typename Word = uint32_t>
Word LittleEndian(std::string_view bytes) {
  Word word = 0;
  for (size_t i = bytes.size(); i > 0; --i) word = (word << 8) | static_cast<uint8_t>(bytes[i - 1]);
  return word;
}

uint32_t Scramble(uint32_t word) { return std::rotl(word * 0xcc9e2d51U, 15) * 0x1b873593U; }

constexpr uint64_t kFirst = 0x87c37b91114253d5U;
constexpr uint64_t kSecond = 0x4cf5ad432745937fU;

uint64_t ScrambleFirst(uint64_t word) { return std::rotl(word * kFirst, 31) * kSecond; }
uint64_t ScrambleSecond(uint64_t word) { return std::rotl(word * kSecond, 33) * kFirst; }

uint64_t Finish(uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

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

std::string Murmur3x64Hash128Hex(std::string_view bytes) {
  uint64_t first = 0;
  uint64_t second = 0;
  const uint64_t length = bytes.size();
  while (bytes.size() >= 16) {
    first ^= ScrambleFirst(LittleEndian<uint64_t>(bytes.substr(0, 8)));
    first = (std::rotl(first, 27) + second) * 5 + 0x52dce729U;
    second ^= ScrambleSecond(LittleEndian<uint64_t>(bytes.substr(8, 8)));
    second = (std::rotl(second, 31) + first) * 5 + 0x38495ab5U;
    bytes.remove_prefix(16);
  }
  if (bytes.size() > 8) second ^= ScrambleSecond(LittleEndian<uint64_t>(bytes.substr(8)));
  if (!bytes.empty()) first ^= ScrambleFirst(LittleEndian<uint64_t>(bytes.substr(0, 8)));
  first ^= length;
  second ^= length;
  first += second;
  second += first;
  first = Finish(first);
  second = Finish(second);
  first += second;
  second += first;
  std::string hash;
  for (const uint64_t half : {first, second}) {
    for (int shift = 0; shift < 64; shift += 8) hash.push_back(static_cast<char>(half >> shift));
  }
  return HexOf(hash);
}

}  // namespace banquet
