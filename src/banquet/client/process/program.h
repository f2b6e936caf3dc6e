#pragma once
// A long-running program of others: followed line by line, and ended when we are.

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

struct Program {
  std::vector<std::string> words;  // The first is looked up in PATH unless it has a slash.
  std::vector<std::pair<std::string, std::string>> environment;  // Beside ours.
  // Each line of standard output and standard error, as it comes; longer ones are cut at 64 KiB.
  std::function<void(std::string_view line)> on_line;
  std::stop_token stop;
  std::chrono::milliseconds grace{10'000};  // Between SIGTERM and SIGKILL.
};

// Runs it to its end, in a process group of its own that ends with it, and gives its exit code;
// 128 + n: signal n ended it. A program that is not there is a user error; a stop that is requested
// ends it and is CancelledError.
Result<int> RunProgram(const Program& program);

// The file that a command's first word names, as RunProgram looks it up; empty if there is none
// that may be run.
std::string FindProgram(const std::string& word);

// When this process began, in clock ticks since the machine did: with its id its name for as long
// as the machine runs.
Result<int64_t> OwnStartTicks();

}  // namespace banquet
