#include "banquet/client/network/wait_ready.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace banquet {
namespace {

using std::chrono::milliseconds;
// The kernel waits in real time, so that an exchangeable clock would only mislead.
using RealClock = std::chrono::steady_clock;

constexpr milliseconds kSlice{100};  // Between looks at the stop token.

}  // namespace

Result<bool> WaitReady(int fd, short events, RealClock::time_point deadline,
                       const std::stop_token& stop, const std::string& server) {
  while (true) {
    if (stop.stop_requested()) return CancelledError();
    const auto left = std::chrono::ceil<milliseconds>(deadline - RealClock::now());
    if (left.count() <= 0) return false;
    pollfd poll_socket = {.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&poll_socket, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      return RemoteError({.retryable = true}, "{}: {}", server, std::strerror(errno));
    }
  }
}

}  // namespace banquet
