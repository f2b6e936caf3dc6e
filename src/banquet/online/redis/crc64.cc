#include "banquet/online/redis/crc64.h"

#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstring>

namespace banquet::redis {
namespace {

constexpr uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5;
constexpr size_t kSlices = 8;

using Tables = std::array<std::array<uint64_t, 256>, kSlices>;

// tables[n][byte]: what `byte` does to the checksum when n bytes follow it.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t n = 1; n < kSlices; ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t crc = tables[n - 1][byte];
      tables[n][byte] = tables[0][crc & 0xff] ^ (crc >> 8);
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

// Eight bytes at a time.
uint64_t ByTables(const char* at, size_t left) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t crc = 0;
  for (; left >= kSlices; left -= kSlices, at += kSlices) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= crc;
    crc = kTables[7][word & 0xff] ^ kTables[6][(word >> 8) & 0xff] ^
          kTables[5][(word >> 16) & 0xff] ^ kTables[4][(word >> 24) & 0xff] ^
          kTables[3][(word >> 32) & 0xff] ^ kTables[2][(word >> 40) & 0xff] ^
          kTables[1][(word >> 48) & 0xff] ^ kTables[0][word >> 56];
  }
  for (; left > 0; --left, ++at) {
    crc = kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff] ^ (crc >> 8);
  }
  return crc;
}

#if defined(__x86_64__)

constexpr size_t kBlockBytes = 16;

// x^n modulo the polynomial, reflected as the checksum is.
constexpr uint64_t PowerOfX(int n) {
  uint64_t power = uint64_t{1} << 63;
  for (int i = 0; i < n; ++i) power = (power >> 1) ^ ((power & 1) != 0 ? kReflectedPolynomial : 0);
  return power;
}

// Folds all blocks into one of the same checksum: a block shifted by its 128 bits is, modulo
// the polynomial, its first half times x^192 plus its second times x^128. The product of two
// reflected words is itself shifted by one, hence 191 and 127. (Gopal et al., Fast CRC Computation
// for Generic Polynomials Using PCLMULQDQ, Intel 2009.)
__attribute__((target("pclmul"))) uint64_t ByFolding(std::string_view bytes) {
  const __m128i powers =
      _mm_set_epi64x(static_cast<int64_t>(PowerOfX(127)), static_cast<int64_t>(PowerOfX(191)));
  // Zeros in front change nothing, so that the first block may be a part.
  alignas(kBlockBytes) char block[kBlockBytes] = {};
  const size_t part = (bytes.size() - 1) % kBlockBytes + 1;
  std::memcpy(block + kBlockBytes - part, bytes.data(), part);
  __m128i folded = _mm_load_si128(reinterpret_cast<const __m128i*>(block));
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data() + part; at != end; at += kBlockBytes) {
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i first = _mm_clmulepi64_si128(folded, powers, 0x00);
    const __m128i second = _mm_clmulepi64_si128(folded, powers, 0x11);
    folded = _mm_xor_si128(next, _mm_xor_si128(first, second));
  }
  _mm_store_si128(reinterpret_cast<__m128i*>(block), folded);
  return ByTables(block, kBlockBytes);
}

const bool kFolds = __builtin_cpu_supports("pclmul") != 0;

#else

constexpr size_t kBlockBytes = 0;
constexpr bool kFolds = false;
uint64_t ByFolding(std::string_view /*bytes*/) { return 0; }

#endif

}  // namespace

uint64_t Crc64(std::string_view bytes) {
  if (kFolds && bytes.size() > kBlockBytes) return ByFolding(bytes);
  return Crc64ByTables(bytes);
}

uint64_t Crc64ByTables(std::string_view bytes) { return ByTables(bytes.data(), bytes.size()); }

}  // namespace banquet::redis
