#pragma once
// SIGINT and SIGTERM as a flag that the waiting loop looks at.

namespace banquet {

// From now on the first signal is only noted; a second one ends the process at once with 128 + its
// number.
void CatchStopSignals();

// The signal that came, or 0.
int StopSignal();

}  // namespace banquet
