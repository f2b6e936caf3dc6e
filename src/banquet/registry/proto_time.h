#pragma once
// Protobuf's times as microseconds and back.

#include <cstdint>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace banquet {

// Nanoseconds are floored; what a file says beyond the range of int64 is kept at its end.
int64_t MicrosecondsOf(const google::protobuf::Timestamp& time);
int64_t MicrosecondsOf(const google::protobuf::Duration& duration);
google::protobuf::Timestamp TimestampOf(int64_t us);

}  // namespace banquet
