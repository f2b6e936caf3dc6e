#pragma once
// From addresses to a connected socket.

#include <chrono>
#include <span>
#include <stop_token>
#include <string>

#include "banquet/base/status.h"
#include "banquet/online/redis/name_lookup.h"

namespace banquet::redis {

// A socket that nobody else owns; -1: none.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int get() const { return fd_; }

 private:
  int fd_;
};

// Connects, without blocking mode, to the first address that answers. Each address gets an equal
// share of the time that is left, so that a dead one leaves time for the next. The error is the
// last address's.
Result<Socket> Dial(std::span<const SocketAddress> addresses,
                    std::chrono::steady_clock::time_point deadline, const std::stop_token& stop,
                    const std::string& server);

// Did Dial fail because nothing listens there?
bool IsNobodyThere(const Status& dialled);

}  // namespace banquet::redis
