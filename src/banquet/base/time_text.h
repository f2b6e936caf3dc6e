#pragma once
// Instants as text. An instant is int64 microseconds since 1970-01-01T00:00:00Z, years 0001 to
// 9999.

#include <cstdint>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

// What `feast materialize START END` takes (dateutil): ISO 8601 in its usual spellings
// ("2024-01-01", "2024-01-01T10:00:00.5+02:00", "20240101T100000Z"), and "Jan 3 2024 [10:00[:00]]",
// "3 January 2024", "01/31/2024". Without zone: UTC.
Result<int64_t> ParseInstant(std::string_view text);

// What Python's datetime.fromisoformat takes (3.11); `feast materialize-incremental END`. Without
// zone: UTC.
Result<int64_t> ParseIsoInstant(std::string_view text);

// A timestamp as an offline store's text column holds it: ISO 8601, "T" or space, optional fraction
// up to nanoseconds.
struct ParsedInstant {
  int64_t us = 0;     // Floored to microseconds.
  int32_t nanos = 0;  // 0..999, the rest.
};
Result<ParsedInstant> ParseColumnInstant(std::string_view text);

std::string FormatInstant(
    int64_t us);  // Python's str(datetime): "2024-01-01 00:00:00+00:00", fraction if not zero.
std::string FormatRfc3339(int64_t us);  // "2024-01-01T00:00:00Z", fraction of 6 digits if not zero.

}  // namespace banquet
