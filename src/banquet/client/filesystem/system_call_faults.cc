#include "banquet/client/filesystem/system_call_faults.h"

#include <atomic>

namespace banquet {
namespace {

std::atomic<FaultPoint> armed_point{FaultPoint::kNone};
std::atomic<int> armed_error{0};
std::atomic<int> armed_times{0};
std::atomic<int> armed_passed{0};
std::atomic<bool> struck{false};

}  // namespace

ScopedSystemCallFault::ScopedSystemCallFault(FaultPoint point, int error, int times, int passed) {
  armed_error = error;
  armed_times = times;
  armed_passed = passed;
  struck = false;
  armed_point = point;
}

ScopedSystemCallFault::~ScopedSystemCallFault() { armed_point = FaultPoint::kNone; }

bool ScopedSystemCallFault::has_struck() const { return struck; }

std::optional<int> TakeSystemCallFault(FaultPoint point) {
  if (armed_point != point) return std::nullopt;
  if (armed_passed-- > 0) return std::nullopt;
  if (armed_times-- <= 0) return std::nullopt;
  struck = true;
  return armed_error.load();
}

}  // namespace banquet
