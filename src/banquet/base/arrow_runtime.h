#pragma once
// What Arrow needs once per process.

#include "banquet/base/status.h"

namespace banquet {

// Registers Arrow's compute kernels. Called first in every main, tests included; calling it again
// does nothing.
Status InitializeArrow();

}  // namespace banquet
