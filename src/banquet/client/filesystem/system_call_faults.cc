#include "banquet/client/filesystem/system_call_faults.h"

#include <atomic>

namespace banquet {
namespace {

std::atomic<FaultPoint> armed_point{FaultPoint::kNone};
std::atomic<int> armed_error{0};
std::atomic<int> armed_times{0};

}  // namespace

ScopedSystemCallFault::ScopedSystemCallFault(FaultPoint point, int error, int times) {
  armed_error = error;
  armed_times = times;
  armed_point = point;
}

ScopedSystemCallFault::~ScopedSystemCallFault() { armed_point = FaultPoint::kNone; }

std::optional<int> TakeSystemCallFault(FaultPoint point) {
  if (armed_point != point) return std::nullopt;
  if (armed_times-- <= 0) return std::nullopt;
  return armed_error.load();
}

}  // namespace banquet
