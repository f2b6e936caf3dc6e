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

// The algorithm's published vectors, and every length of tail against the entity ids of Feast.
TEST(Murmur3x64Hash128Hex, GivesThePublishedVectors) {
  EXPECT_EQ(Murmur3x64Hash128Hex(""), "00000000000000000000000000000000");
  // Halves are h1 and h2, least byte first.
  EXPECT_EQ(Murmur3x64Hash128Hex("The quick brown fox jumps over the lazy dog"),
            "6c1b07bc7bbc4be347939ac4a93c437a");
}

// Bytes 0, 1, 2, … of every length up to two blocks, by mmh3, which Feast hashes with.
TEST(Murmur3x64Hash128Hex, TakesTailsOfEveryLength) {
  const char* const expected[] = {
      "00000000000000000000000000000000", "b55cff6ee5ab10468335f878aa2d6251",
      "4c26ab8dc5f5b37c44e0c26e32013cf0", "bee653ef2fa172b8b696b352c25562fb",
      "10afdf0dae94c5e1e2fdc213bd05d6d3", "3640f9a6d48cee41f6230c635e15d0f8",
      "3c04f5a4bb3a9866a02c51160b24e057", "680d4bca87694cbd87c725bdd4dd3a61",
      "c82f8ed6bde1a747c7dc31ec02eee660", "322d816e0fcbb4fbb9ff00021d75de78",
      "63e4589ee825cacf7620ad72c4134325", "884f56c7474f7bc5b01b71208dea6569",
      "caa51292e6a75db34653f7ec46f17580", "c2415fc5f2d9524bfcd8a6af9e86ff84",
      "646d9035ee33a95fdfc90f387325780d", "e92549fd98152347e97dc688ee6d84cd",
      "303f9091b524494445e82f76566490ab", "0ec2e79f0ff4765c24a8da9e6b025fc1",
      "7bc4e9bad1e448165febb90b188426ce", "6301a36455a465a6dc1faebf60794f95",
      "4b9536577053d2a37a9c7b6c25061f5a", "0312d428a03dd1cdcbe7a22dfc0ec56b",
      "712ac127bff3f84562561e6073a33017", "db8135156f37a1b941492ab4931c4526",
      "dedfb27562844e73529efbbbab7e7094", "cb82e92eb57cbe3bfc9fefbe3354d3a2",
      "726f2202fedc15a5787dc4fcdc680c2e", "ed2e594d8802161119b51ddc48197428",
      "3c8105ee62ff14dc8bcb6745bb502066", "1acf1815b194e4aa76e1cf8cf7129e64",
      "e301a2380d0869f0196bd2e37f68f322", "94d02ca3e1d33d05905400b4ef9ae59e",
      "0f502fb622906dc65111c3346e0a051c",
  };
  std::string bytes;
  for (const char* hash : expected) {
    EXPECT_EQ(Murmur3x64Hash128Hex(bytes), hash) << bytes.size() << " bytes";
    bytes.push_back(static_cast<char>(bytes.size()));
  }
}

TEST(Murmur3x64Hash128Hex, NamesItemsAsFeastDoes) {
  EXPECT_EQ(Murmur3x64Hash128Hex(std::string("\1\0\0\0\2\0\0\0\11\0\0\0driver_id\4\0\0\0\10\0\0\0"
                                             "\0\0\0\0\0\0\0\0",
                                             37)),
            "34edc2949913c04af1010ad58935cf2a");
}

}  // namespace
}  // namespace banquet
