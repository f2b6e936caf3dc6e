#pragma once
// A closed interval of event time.

#include <cstdint>

namespace banquet {

// [start_us, end_us], both ends inside; microseconds since the epoch, UTC (feast-compat 3.3).
struct TimeWindow {
  int64_t start_us = 0;
  int64_t end_us = 0;
  bool operator==(const TimeWindow&) const = default;
};

}  // namespace banquet
