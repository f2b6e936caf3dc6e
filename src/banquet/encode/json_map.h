#pragma once
// Maps and structs that lie in text columns as JSON.

#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

// The key under which Feast puts what is no struct into a STRUCT.
inline constexpr std::string_view kLoneValueKey = "_value";

// A level of JSON is three of protobuf, and protobuf's readers stop at 100.
inline constexpr int kMapDepthMax = 32;

// Appends the entries of a Map message for an object. Text that is JSON but no object is an error,
// but for a struct
// {"_value": text}. What Feast cannot infer (an empty or mixed list, an integer beyond 64 bits) is
// a data error.
Status WriteJsonEntries(std::string_view text, bool is_struct, std::string* out);

// Appends the maps of a MapList message for an array of objects.
Status WriteJsonMapList(std::string_view text, std::string* out);

}  // namespace banquet
