#pragma once
// Renews the leases among a group's locks while the group runs.

#include <memory>
#include <thread>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/registry/registry.h"

namespace banquet {

// Renews from its making until its end, on a thread of its own if any lock needs it. A renewal
// that fails is told and tried again at the next turn; a lock that was lost is told once and left
// alone: the registry refuses to record under it.
class LockKeeper {
 public:
  // `locks` and `clock` are borrowed.
  LockKeeper(const std::vector<std::unique_ptr<ViewLock>>& locks, Clock& clock);

 private:
  std::jthread thread_;  // Stopped and joined by its destructor.
};

}  // namespace banquet
