#include "banquet/online/redis/dial.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "banquet/base/testing.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

SocketAddress Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return {.family = AF_INET,
          .bytes = std::string(reinterpret_cast<const char*>(&address), sizeof address)};
}

// An address that answers no one: a listener whose queue is full, so that the kernel drops what
// comes.
class DeadAddress {
 public:
  DeadAddress() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress any = Loopback(0);
    sockaddr_in bound = {};
    socklen_t size = sizeof bound;
    bind(listener_.get(), reinterpret_cast<const sockaddr*>(any.bytes.data()), size);
    listen(listener_.get(), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    address_ = Loopback(ntohs(bound.sin_port));
    for (int i = 0; i < 4; ++i) {
      fillers_.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      [[maybe_unused]] const int pending =
          connect(fillers_.back().get(), reinterpret_cast<const sockaddr*>(address_.bytes.data()),
                  static_cast<socklen_t>(address_.bytes.size()));
    }
  }
  const SocketAddress& address() const { return address_; }

 private:
  Socket listener_;
  SocketAddress address_;
  std::vector<Socket> fillers_;
};

TEST(DialTest, ADeadAddressLeavesTimeForTheNext) {
  DeadAddress dead;
  ScriptedServer alive(nullptr);
  const std::vector<SocketAddress> addresses = {dead.address(), Loopback(alive.port())};
  const auto begun = SteadyClock::now();
  ASSERT_OK_AND_ASSIGN(const Socket dialled,
                       Dial(addresses, begun + milliseconds(2000), {}, "redis at h:1/0"));
  EXPECT_GE(dialled.get(), 0);
  EXPECT_GE(SteadyClock::now() - begun, milliseconds(900)) << "the dead one had its share";
}

TEST(DialTest, TellsWhyTheLastAddressWasNotReachedAndWhatToDo) {
  DeadAddress dead;
  int closed_port = 0;
  {
    ScriptedServer server(nullptr);
    closed_port = server.port();
  }
  const std::vector<SocketAddress> closed = {Loopback(closed_port)};
  const auto soon = [] { return SteadyClock::now() + milliseconds(300); };
  const auto refused = Dial(closed, soon(), {}, "redis at h:1/0");
  EXPECT_FAULT(Fault::kRemote, "redis at h:1/0: Connection refused; is the server up", refused);
  EXPECT_TRUE(IsRetryable(refused.status()));
  const std::vector<SocketAddress> both = {closed[0], dead.address()};
  EXPECT_FAULT(Fault::kRemote, "connect_timeout", Dial(both, soon(), {}, "redis at h:1/0"));
  EXPECT_FAULT(Fault::kRemote, "no address", Dial({}, soon(), {}, "redis at h:1/0"));
}

TEST(DialTest, StopEndsTheWait) {
  DeadAddress dead;
  std::stop_source stop;
  stop.request_stop();
  const std::vector<SocketAddress> addresses = {dead.address(), dead.address()};
  const auto begun = SteadyClock::now();
  EXPECT_FAULT(Fault::kCancelled, "",
               Dial(addresses, begun + std::chrono::minutes(1), stop.get_token(), "h"));
  EXPECT_LT(SteadyClock::now() - begun, std::chrono::seconds(20));
}

}  // namespace
}  // namespace banquet::redis
