#pragma once
// Waiting for a socket, so that neither a silent server nor a stop is waited for in vain.

#include <chrono>
#include <stop_token>
#include <string>

#include "banquet/base/status.h"

namespace banquet {

// Waits until the socket `fd` is ready for `events` (poll's). False: the deadline passed first. The
// stop token is looked at every 100 ms. `server` names the socket's end in errors.
Result<bool> WaitReady(int fd, short events, std::chrono::steady_clock::time_point deadline,
                       const std::stop_token& stop, const std::string& server);

}  // namespace banquet
