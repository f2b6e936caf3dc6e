#pragma once
// Reads stored value bytes back, for people and for JSON.

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/model/value_type.h"

namespace banquet {

// The JSON that Feast's HTTP server gives for a serialized feast.types.Value (feast-compat section 10): numbers, text,
// bytes as base64, timestamps as integers, lists, maps as objects; empty bytes are null. Damaged bytes are a data error.
Result<std::string> ValueToJson(std::string_view value_bytes);

}  // namespace banquet
