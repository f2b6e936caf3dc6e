#include "banquet/online/redis/sentinel.h"

#include "banquet/base/testing.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

// A server that is its own sentinel; `role` and `master` are what it answers to ROLE and SENTINEL,
// an empty `master` its own address.
class OwnSentinel {
 public:
  explicit OwnSentinel(std::string role, std::string master = {})
      : server_([this, role, master](const Received& received) -> std::optional<Answer> {
          if (received.words[0] == "ROLE") return Answer{.bytes = role};
          if (received.words[0] != "SENTINEL") return std::nullopt;
          return Answer{.bytes = master.empty() ? "*2\r\n" + ScriptedServer::Bulk("127.0.0.1") +
                                                      ScriptedServer::Bulk(std::to_string(port()))
                                                : master};
        }) {}
  int port() const { return server_.port(); }
  Status Open() const {
    return Connection::Open({.address = {},
                             .sentinels = {{.host = "127.0.0.1", .port = port()}},
                             .master = "cache"})
        .status();
  }

 private:
  ScriptedServer server_;
};

const std::string kMaster = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";

TEST(SentinelTest, TheServerThatIsNamedMustBeTheMaster) {
  EXPECT_OK(OwnSentinel(kMaster).Open());
  const Status replica =
      OwnSentinel("*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n").Open();
  EXPECT_FAULT(Fault::kRemote, "is no master, though the sentinels name it", replica);
  EXPECT_TRUE(IsRetryable(replica));
}

TEST(SentinelTest, WithoutTheRightToAskForTheRoleItIsNotAsked) {
  EXPECT_OK(
      OwnSentinel("-NOPERM this user has no permissions to run the 'role' command\r\n").Open());
  EXPECT_FAULT(Fault::kRemote, "ROLE", OwnSentinel("-LOADING dataset in memory\r\n").Open());
}

TEST(SentinelTest, AnAnswerThatIsNoAddressIsNoSentinels) {
  for (const std::string answer : {":1\r\n", "*1\r\n$1\r\nh\r\n", "*2\r\n$1\r\nh\r\n$1\r\nx\r\n",
                                   "*2\r\n$1\r\nh\r\n$2\r\n6x\r\n"}) {
    SCOPED_TRACE(answer);
    EXPECT_FAULT(Fault::kRemote, "is this a Redis Sentinel?", OwnSentinel(kMaster, answer).Open());
  }
  EXPECT_FAULT(Fault::kUser, "online_store.sentinel_master: cache",
               OwnSentinel(kMaster, "*-1\r\n").Open());
}

}  // namespace
}  // namespace banquet::redis
