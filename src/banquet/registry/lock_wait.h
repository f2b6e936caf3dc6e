#pragma once
// Waiting for a view that another run holds, and what the two say of each other.

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet {

struct LockTry {
  std::unique_ptr<ViewLock> lock;  // nullptr: another run holds the view.
  std::string holder_note;         // What that run wrote of itself; its first line is shown.
};

struct LockWait {
  std::string view;
  std::chrono::milliseconds longest{0};
  std::chrono::milliseconds poll{100};
  std::stop_token stop;
};

// Tries until the lock is got or `wait.longest` is over (Registry::LockView). Says once that it
// waits. A retryable error counts as not got yet.
Result<std::unique_ptr<ViewLock>> WaitForLock(const LockWait& wait, Clock& clock,
                                              const std::function<Result<LockTry>()>& try_once);

// "pid 7 on host h since 2026-01-01T00:00:00Z": this process, for the others.
std::string NoteOfThisProcess(int64_t now_us);

}  // namespace banquet
