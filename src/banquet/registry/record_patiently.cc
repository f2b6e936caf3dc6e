#include "banquet/registry/record_patiently.h"

#include <random>

#include "banquet/base/log.h"
#include "banquet/base/retry.h"

namespace banquet {

Status RecordPatiently(const MaterializationRecord& record, std::chrono::milliseconds timeout,
                       Clock& clock, const std::function<Status()>& try_once) {
  RetryPolicy policy({.first_wait_max = std::chrono::milliseconds(200), .timeout = timeout},
                     std::random_device{}());
  const auto began = clock.Steady();
  bool told = false;
  while (true) {
    const Status status = try_once();
    if (status.ok()) return status;
    const auto wait = IsRetryable(status)
                          ? policy.NextWait({.at = clock.Steady(), .trouble_since = began})
                          : std::chrono::milliseconds(-1);
    if (wait.count() < 0) return Annotate(status, "Recording view " + record.view);
    if (!told) LogWarning("Recording view {} is tried again: {}", record.view, MessageOf(status));
    told = true;
    clock.Wait(wait, {});
  }
}

}  // namespace banquet
