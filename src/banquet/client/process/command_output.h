#pragma once
// Another program's standard output.

#include <chrono>
#include <stop_token>
#include <string>

#include "banquet/base/status.h"

namespace banquet {

struct CommandLimits {
  std::chrono::milliseconds timeout{60'000};
  size_t bytes_max = 1 << 20;
  std::stop_token stop;
};

// Runs a line by /bin/sh and returns what it printed; standard input is empty, standard error is
// ours. One that fails, or prints more than it may, is a user error, one that does not end in time
// a remote error; it is ended then. Messages never repeat the line, which may hold secrets; `name`
// stands for it.
Result<std::string> OutputOf(const std::string& line, const std::string& name,
                             const CommandLimits& limits);

}  // namespace banquet
