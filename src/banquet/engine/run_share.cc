#include "banquet/engine/run_share.h"

#include <algorithm>
#include <thread>

#include "banquet/base/memory_budget.h"

namespace banquet {
namespace {

constexpr int64_t kWorkerBytes = int64_t{32} << 20;

}  // namespace

RunShare ShareOf(const RunOptions& options, int lanes, int engines) {
  const int64_t limit =
      (options.memory_limit > 0 ? options.memory_limit : UsableMemoryBytes() / 2) / engines;
  const int threads = options.threads > 0
                          ? options.threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  // Half of the limit is for workers at most.
  const int64_t fed = std::max<int64_t>(1, limit / (2 * kWorkerBytes));
  RunShare share;
  share.workers = static_cast<int>(std::min<int64_t>(threads, fed));
  share.groups = static_cast<int>(
      std::clamp<int64_t>(fed / share.workers, 1, std::max(1, options.parallel_groups / engines)));
  share.writers =
      std::max(share.workers, static_cast<int>(std::min<int64_t>(lanes, fed / share.groups)));
  share.state_bytes = limit - kWorkerBytes * share.writers * share.groups;
  return share;
}

}  // namespace banquet
