#include "banquet/online/redis/crc64.h"

#include <random>
#include <string>

#include "banquet/base/testing.h"

namespace banquet::redis {
namespace {

// Bit by bit, from the definition.
uint64_t SlowCrc64(std::string_view bytes) {
  uint64_t crc = 0;
  for (const unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 1) != 0 ? crc >> 1 ^ 0x95ac9329ac4bc9b5 : crc >> 1;
  }
  return crc;
}

TEST(Crc64Test, HasThePublishedCheckValue) {
  EXPECT_EQ(Crc64("123456789"), 0xe9c6d914c4b8d9ca);
  EXPECT_EQ(Crc64(""), 0U);
}

TEST(Crc64Test, IsThatOfTheDefinitionForEveryLength) {
  std::mt19937_64 random(20261126);
  std::string bytes;
  for (int size = 0; size < 700; ++size) {
    EXPECT_EQ(Crc64(bytes), SlowCrc64(bytes)) << size << " bytes of seed 20261126";
    EXPECT_EQ(Crc64ByTables(bytes), SlowCrc64(bytes)) << size << " bytes of seed 20261126";
    bytes.push_back(static_cast<char>(random()));
  }
}

}  // namespace
}  // namespace banquet::redis
