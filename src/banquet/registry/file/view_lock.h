#pragma once
// One run at a time per view: a lock file beside the registry, since Feast's registry itself knows
// no locks.

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "banquet/registry/registry.h"

namespace banquet {

struct ViewLockTarget {
  std::string registry_path;
  std::string project;
  std::string view;
};

// Registry::LockView. The file's name is made of a hash, so that no view name leads elsewhere.
// Where the registry's directory takes no files, the lock file lies in the system's temporary
// directory, under the hash of the registry's real path: it then excludes only the runs of this
// machine that may not write there either.
Result<std::unique_ptr<ViewLock>> TakeViewLock(const ViewLockTarget& target,
                                               std::chrono::milliseconds wait, Clock& clock,
                                               std::stop_token stop);

}  // namespace banquet
