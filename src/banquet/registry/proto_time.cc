#include "banquet/registry/proto_time.h"

#include <limits>

namespace banquet {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kNsPerUs = 1000;

int64_t FloorDivide(int64_t value, int64_t by) {
  const int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

int64_t Microseconds(int64_t seconds, int32_t nanos) {
  int64_t us = 0;
  if (__builtin_mul_overflow(seconds, kUsPerSecond, &us) ||
      __builtin_add_overflow(us, FloorDivide(nanos, kNsPerUs), &us)) {
    return seconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return us;
}

}  // namespace

int64_t MicrosecondsOf(const google::protobuf::Timestamp& time) {
  return Microseconds(time.seconds(), time.nanos());
}

int64_t MicrosecondsOf(const google::protobuf::Duration& duration) {
  return Microseconds(duration.seconds(), duration.nanos());
}

google::protobuf::Timestamp TimestampOf(int64_t us) {
  google::protobuf::Timestamp time;
  const int64_t seconds = FloorDivide(us, kUsPerSecond);
  time.set_seconds(seconds);
  time.set_nanos(static_cast<int32_t>((us - seconds * kUsPerSecond) * kNsPerUs));
  return time;
}

}  // namespace banquet
