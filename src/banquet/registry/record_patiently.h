#pragma once
// Recording in a registry that other machines share: everything is written already, so that a place
// which does not answer for a while is worth waiting for.

#include <chrono>
#include <functional>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet {

// Tries again what ended with a retryable error, with jittered waits, until `timeout` is over.
// `try_once` must leave one interval however often it is called.
Status RecordPatiently(const MaterializationRecord& record, std::chrono::milliseconds timeout,
                       Clock& clock, const std::function<Status()>& try_once);

}  // namespace banquet
