#pragma once
// Feast's layout in Redis: keys, hash fields and timestamps as bytes (docs/formats/redis.md).

#include <cstdint>
#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/model/view_columns.h"

namespace banquet::redis {

std::string RedisKey(std::string_view entity_key, std::string_view project);
std::string TimeField(std::string_view view);                               // "_ts:{view}"
std::string FeatureField(std::string_view view, std::string_view feature);  // Four bytes.

// A serialized google.protobuf.Timestamp is at most so long.
constexpr size_t kTimestampBytesMax = 2 * 11;
// Writes it and returns the end.
char* PutTimestamp(char* out, int64_t event_us);

// A stored time at our precision. `beyond`: it lies some nanoseconds after `us`.
struct StoredTime {
  int64_t us = 0;
  bool beyond = false;
  bool operator==(const StoredTime&) const = default;
};
// Damaged bytes, and times that int64 microseconds cannot hold, are a data error.
Result<StoredTime> ParseTimestamp(std::string_view bytes);

// What the keys of all entities with these join keys begin with.
std::string KeyPrefix(const ViewColumns& view);
// A SCAN pattern for the keys that begin and end so; glob letters are escaped.
std::string ScanPattern(std::string_view prefix, std::string_view project);
// Is this, exactly, a key of the view's project: prefix, one value per join key, project?
bool IsKeyOf(std::string_view key, std::string_view prefix, size_t join_keys,
             std::string_view project);

}  // namespace banquet::redis
