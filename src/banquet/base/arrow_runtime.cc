#include "banquet/base/arrow_runtime.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "arrow/compute/initialize.h"

namespace banquet {
namespace {

// Arrow's own allocators keep what we give back for later: a run peaks a fifth higher with them and
// is no faster than with the system's, once that takes the buffers of batches from its heap, whose
// pages stay, and not from mappings made and removed for each (docs/decisions/0011).
void PreferSystemAllocator() {
  constexpr int kMappedFrom = 32 << 20;  // The most that malloc takes for M_MMAP_THRESHOLD.
  constexpr int kKeptAtTop = 128 << 20;
  constexpr int kGrownBy = 16 << 20;
  constexpr char kPool[] = "ARROW_DEFAULT_MEMORY_POOL";
  if (::getenv(kPool) != nullptr) return;
  ::setenv(kPool, "system", /*overwrite=*/0);
  ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  ::mallopt(M_TRIM_THRESHOLD, kKeptAtTop);
  ::mallopt(M_TOP_PAD, kGrownBy);
  // Each heap keeps what was given back to it: ten million keys into SQLite within 64 MiB peaked at
  // 145 to 161 MiB with a heap for every thread, at 123 MiB with one.
  ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN) / 2)));
}

}  // namespace

Status InitializeArrow() {
  PreferSystemAllocator();
  return arrow::compute::Initialize();
}

}  // namespace banquet
