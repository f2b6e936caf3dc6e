#pragma once
// Serialized entity keys for people.

#include <string>
#include <string_view>

namespace banquet {

// "driver_id=1001,region=eu" of a key of version 3 (feast-compat section 5.1); what is not one is
// given as hexadecimal digits, and so are the bytes of a BYTES key.
std::string EntityKeyToText(std::string_view entity_key);

}  // namespace banquet
