#pragma once
// What Arrow needs once per process.

#include "banquet/base/status.h"

namespace banquet {

// Registers Arrow's compute kernels, and lets the system's allocator serve Arrow unless
// ARROW_DEFAULT_MEMORY_POOL names another. Called first in every main, tests included; calling it
// again does nothing.
Status InitializeArrow();

}  // namespace banquet
