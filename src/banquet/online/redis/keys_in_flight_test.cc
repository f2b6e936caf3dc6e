#include "banquet/online/redis/keys_in_flight.h"

#include <string>

#include "banquet/base/testing.h"

namespace banquet::redis {
namespace {

TEST(KeysInFlightTest, TakesAKeyOnceUntilCleared) {
  KeysInFlight keys;
  EXPECT_TRUE(keys.Add("a"));
  EXPECT_TRUE(keys.Add(""));
  EXPECT_FALSE(keys.Add("a"));
  EXPECT_FALSE(keys.Add(""));
  keys.Clear();
  EXPECT_TRUE(keys.Add("a"));
}

TEST(KeysInFlightTest, IsFullAtABound) {
  KeysInFlight keys;
  int taken = 0;
  while (keys.Add(std::to_string(taken))) ++taken;
  EXPECT_GE(taken, 10'000) << "a batch of the write sink";
  EXPECT_LE(taken, 100'000);
  keys.Clear();
  EXPECT_TRUE(keys.Add("0"));
}

}  // namespace
}  // namespace banquet::redis
