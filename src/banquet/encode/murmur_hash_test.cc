#include "banquet/encode/murmur_hash.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

TEST(Murmur3x86Hash32, NamesRedisFieldsAsFeastDoes) {
  EXPECT_EQ(Murmur3x86Hash32("driver_hourly_stats:conv_rate"), 0xdae36061U);
  EXPECT_EQ(Murmur3x86Hash32("driver_hourly_stats:acc_rate"), 0xad585efaU);
  EXPECT_EQ(Murmur3x86Hash32("driver_hourly_stats:avg_daily_trips"), 0xa3e5a518U);
  EXPECT_EQ(Murmur3x86Hash32("driver_hourly_stats_v2:conv_rate"), 0xd45cacbfU);
}

// The published vectors of the algorithm: every tail length, and another seed.
TEST(Murmur3x86Hash32, GivesThePublishedVectors) {
  EXPECT_EQ(Murmur3x86Hash32(""), 0U);
  EXPECT_EQ(Murmur3x86Hash32("", 1), 0x514e28b7U);
  EXPECT_EQ(Murmur3x86Hash32("", 0xffffffffU), 0x81f16f39U);
  EXPECT_EQ(Murmur3x86Hash32({"\0", 1}), 0x514e28b7U);
  EXPECT_EQ(Murmur3x86Hash32({"\0\0", 2}), 0x30f4c306U);
  EXPECT_EQ(Murmur3x86Hash32({"\0\0\0", 3}), 0x85f0b427U);
  EXPECT_EQ(Murmur3x86Hash32({"\0\0\0\0", 4}), 0x2362f9deU);
  EXPECT_EQ(Murmur3x86Hash32("\x21\x43\x65\x87"), 0xf55b516bU);
  EXPECT_EQ(Murmur3x86Hash32("\x21\x43\x65\x87", 0x5082edeeU), 0x2362f9deU);
  EXPECT_EQ(Murmur3x86Hash32("\x21\x43\x65"), 0x7e4a8634U);
  EXPECT_EQ(Murmur3x86Hash32("\x21\x43"), 0xa0f7b07aU);
  EXPECT_EQ(Murmur3x86Hash32("\x21"), 0x72661cf4U);
  EXPECT_EQ(Murmur3x86Hash32("\xff\xff\xff\xff"), 0x76293b50U);
}

}  // namespace
}  // namespace banquet
