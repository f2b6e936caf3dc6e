#pragma once
// What a measured stretch of this process took: time, memory, allocations.

#include <cstdint>

namespace banquet::bench {

// Seconds of a clock that only runs forward.
double Now();

// Calls of operator new so far, of every thread and library, and allocations of Arrow's default
// memory pool. C libraries that call malloc themselves are not counted.
struct AllocationCount {
  int64_t news = 0;
  int64_t arrow = 0;
};
AllocationCount Allocations();

}  // namespace banquet::bench
