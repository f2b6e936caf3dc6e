#pragma once
// Reads stored value bytes back, for people and for JSON.

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/model/value_type.h"

namespace banquet {

// The JSON that Feast's HTTP server gives for a serialized feast.types.Value (feast-compat section
// 10): numbers, text, bytes as base64, timestamps as integers, lists and sets as arrays, maps as
// objects; empty bytes are null. A float is widened as Python does ("0.10000000149011612"). What
// JSON has no word for: NaN and infinities are the strings "NaN", "Infinity" and "-Infinity", as
// protobuf's own JSON has them; the keys of a SCALAR_MAP are text; a ZONED_TIMESTAMP is
// {"unix_timestamp": 1, "zone": "UTC"}. The keys of a map are sorted, and the last of equal ones
// counts. Damaged bytes are a data error: cut-off or left-over bytes, text that is not UTF-8, a
// field Feast does not have, two values in one, or more than 100 values inside each other (Feast's
// own readers stop earlier).
Result<std::string> ValueToJson(std::string_view value_bytes);

}  // namespace banquet
