#include "banquet/online/redis/cluster_slots.h"

#include "banquet/base/testing.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

// What CLUSTER KEYSLOT of a real server says.
TEST(SlotOf, IsThatOfTheSpecification) {
  EXPECT_EQ(SlotOf("123456789"), 0x31c3 % kSlots);
  EXPECT_EQ(SlotOf(""), 0);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("bar"), 5061);
  EXPECT_EQ(SlotOf("hello"), 866);
}

TEST(SlotOf, KnowsHashTags) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("user1000"));
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(SlotOf("foo{{bar}}zap"), SlotOf("{bar"));
  EXPECT_EQ(SlotOf("foo{bar}{zap}"), SlotOf("bar"));
  EXPECT_NE(SlotOf("foo{}{bar}"), SlotOf("bar")) << "nothing stands in the first pair";
  EXPECT_NE(SlotOf("foo{bar"), SlotOf("bar"));
  EXPECT_EQ(SlotOf(std::string("\0{\1\2}\0", 6)), SlotOf("\1\2"));
}

Result<SlotMap> MapOf(const std::string& reply) {
  ScriptedServer server([&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "CLUSTER") return std::nullopt;
    return Answer{.bytes = reply};
  });
  const ServerAddress asked{.host = "127.0.0.1", .port = server.port(), .password = "secret"};
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connection::Open({.address = asked}));
  return AskForSlots(connection.get(), asked);
}

TEST(AskForSlots, ReadsRangesAndTheirMasters) {
  ASSERT_OK_AND_ASSIGN(
      const SlotMap map,
      MapOf(
          "*3\r\n"
          "*3\r\n:0\r\n:9\r\n*4\r\n$4\r\nhost\r\n:7000\r\n$2\r\nid\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
          "*4\r\n:10\r\n:20\r\n*2\r\n$0\r\n\r\n:7001\r\n*2\r\n$7\r\nreplica\r\n:7002\r\n"
          "*3\r\n:16383\r\n:16383\r\n*2\r\n$4\r\nhost\r\n:7000\r\n"));
  ASSERT_EQ(map.masters.size(), 2U);
  EXPECT_EQ(map.masters[0].host, "host");
  EXPECT_EQ(map.masters[0].port, 7000);
  EXPECT_EQ(map.masters[0].password, "secret");
  EXPECT_EQ(map.masters[1].host, "127.0.0.1") << "a node may not know its own address";
  EXPECT_EQ(map.masters[1].port, 7001);
  EXPECT_EQ(map.owners[0], 0);
  EXPECT_EQ(map.owners[9], 0);
  EXPECT_EQ(map.owners[10], 1);
  EXPECT_EQ(map.owners[20], 1);
  EXPECT_EQ(map.owners[21], SlotMap::kNobody);
  EXPECT_EQ(map.owners[16383], 0);
}

TEST(AskForSlots, WhatIsNoMapIsTold) {
  EXPECT_FAULT(Fault::kUser, "set redis_type: redis",
               MapOf("-ERR This instance has cluster support disabled\r\n"));
  EXPECT_FAULT(Fault::kUser, "NOPERM", MapOf("-NOPERM no\r\n"));
  const Result<SlotMap> empty = MapOf("*0\r\n");
  EXPECT_FAULT(Fault::kRemote, "serves no slot", empty);
  EXPECT_TRUE(IsRetryable(empty.status()));
  for (const char* reply :
       {"+OK\r\n", ":1\r\n", "$-1\r\n", "*1\r\n:1\r\n", "*1\r\n*0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n:2\r\n", "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        "*1\r\n*3\r\n:5\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n$1\r\n1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n"}) {
    SCOPED_TRACE(reply);
    EXPECT_FAULT(Fault::kRemote, "an unexpected reply to CLUSTER SLOTS", MapOf(reply));
  }
}

}  // namespace
}  // namespace banquet::redis
