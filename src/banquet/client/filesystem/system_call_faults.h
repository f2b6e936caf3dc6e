#pragma once
// A seam for tests: lets one system call of this folder fail as disks and mounts do, which root
// cannot provoke.

#include <optional>

namespace banquet {

enum class FaultPoint { kNone, kCreateTemporary, kWrite, kSync, kRename, kSpillWrite, kSpillRead };

// While it lives, after `passed` calls at `point` that are let through the next `times` fail with
// `error` (an errno). One at a time in a process; tests only.
class ScopedSystemCallFault {
 public:
  ScopedSystemCallFault(FaultPoint point, int error, int times = 1, int passed = 0);
  ~ScopedSystemCallFault();
  ScopedSystemCallFault(const ScopedSystemCallFault&) = delete;
  ScopedSystemCallFault& operator=(const ScopedSystemCallFault&) = delete;

  // Whether a call has failed by it.
  bool has_struck() const;
};

// The errno to fail with, if a test asked for it.
std::optional<int> TakeSystemCallFault(FaultPoint point);

}  // namespace banquet
