#pragma once
// Host names to addresses, without waiting longer than allowed.

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/base/status.h"

namespace banquet::redis {

// An address in the form that connect() takes.
struct SocketAddress {
  int family = 0;
  std::string bytes;
};

// All stream addresses of the host, in the resolver's order. `server` names it in errors.
Result<std::vector<SocketAddress>> LookUpHost(const std::string& host, int port,
                                              std::chrono::steady_clock::time_point deadline,
                                              const std::stop_token& stop,
                                              const std::string& server);

}  // namespace banquet::redis
