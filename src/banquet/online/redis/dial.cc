#include "banquet/online/redis/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "banquet/client/network/wait_ready.h"

namespace banquet::redis {
namespace {

using std::chrono::milliseconds;
// The kernel waits in real time, so that an exchangeable clock would only mislead.
using RealClock = std::chrono::steady_clock;

Status NotReached(const std::string& server, const std::string& why) {
  return RemoteError({.retryable = true},
                     "{}: {}; is the server up, and does connection_string name it?", server, why);
}

Result<Socket> DialOne(const SocketAddress& address, RealClock::time_point deadline,
                       const std::stop_token& stop, const std::string& server) {
  const auto begun = RealClock::now();
  Socket dialled(socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (dialled.get() < 0) return NotReached(server, std::strerror(errno));
  const int on = 1;
  setsockopt(dialled.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(dialled.get(), reinterpret_cast<const sockaddr*>(address.bytes.data()),
              static_cast<socklen_t>(address.bytes.size())) == 0) {
    return dialled;
  }
  if (errno != EINPROGRESS) return NotReached(server, std::strerror(errno));
  BANQUET_ASSIGN_OR_RETURN(const bool ready,
                           WaitReady(dialled.get(), POLLOUT, deadline, stop, server));
  if (!ready) {
    const auto waited = std::chrono::duration_cast<milliseconds>(RealClock::now() - begun);
    return NotReached(
        server, fmt::format("did not answer for {} ms (banquet.connect_timeout)", waited.count()));
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(dialled.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return NotReached(server, std::strerror(error));
  return dialled;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<Socket> Dial(std::span<const SocketAddress> addresses, RealClock::time_point deadline,
                    const std::stop_token& stop, const std::string& server) {
  Status failure = RemoteError({}, "{}: the host has no address", server);
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto now = RealClock::now();
    const auto share = (deadline - now) / static_cast<int64_t>(addresses.size() - i);
    Result<Socket> dialled = DialOne(addresses[i], now + share, stop, server);
    if (dialled.ok() || FaultOf(dialled.status()) == Fault::kCancelled) return dialled;
    failure = dialled.status();
  }
  return failure;
}

bool IsNobodyThere(const Status& dialled) {
  return dialled.message().find(std::strerror(ECONNREFUSED)) != std::string::npos;
}

}  // namespace banquet::redis
