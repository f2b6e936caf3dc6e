#include "banquet/base/memory_budget.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace banquet {
namespace {

// The number in a file, or the greatest one: "max", no file, no number.
int64_t LimitIn(const std::string& path) {
  std::ifstream file(path);
  int64_t bytes = 0;
  return file >> bytes && bytes > 0 ? bytes : std::numeric_limits<int64_t>::max();
}

// The limits of the process's own group of cgroup v2 and of all above it.
int64_t GroupLimit() {
  int64_t least = std::min(LimitIn("/sys/fs/cgroup/memory.max"),
                           LimitIn("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    if (!line.starts_with("0::/")) continue;
    std::string path = line.substr(3);
    while (path.size() > 1) {
      least = std::min(least, LimitIn("/sys/fs/cgroup" + path + "/memory.max"));
      path.resize(path.rfind('/'));
    }
  }
  return least;
}

}  // namespace

bool MemoryBudget::TryTake(int64_t bytes) {
  int64_t used = used_.load(std::memory_order_relaxed);
  while (used + bytes <= limit_) {
    if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return true;
  }
  return false;
}

int64_t UsableMemoryBytes() {
  const int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return std::min(machine, GroupLimit());
}

int64_t PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + sizeof("VmHWM:") - 1) * 1024;
  }
  return 0;
}

}  // namespace banquet
