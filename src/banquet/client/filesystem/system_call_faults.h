#pragma once
// A seam for tests: lets one system call of this folder fail as disks and mounts do, which root
// cannot provoke.

#include <optional>

namespace banquet {

enum class FaultPoint { kNone, kCreateTemporary, kWrite, kSync, kRename };

// While it lives, the next `times` calls at `point` fail with `error` (an errno). One at a time in
// a process; tests only.
class ScopedSystemCallFault {
 public:
  ScopedSystemCallFault(FaultPoint point, int error, int times = 1);
  ~ScopedSystemCallFault();
  ScopedSystemCallFault(const ScopedSystemCallFault&) = delete;
  ScopedSystemCallFault& operator=(const ScopedSystemCallFault&) = delete;
};

// The errno to fail with, if a test asked for it.
std::optional<int> TakeSystemCallFault(FaultPoint point);

}  // namespace banquet
