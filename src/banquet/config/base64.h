#pragma once
// Base64 as in FEATURE_STORE_YAML_BASE64.

#include <optional>
#include <string>
#include <string_view>

namespace banquet {

// The standard alphabet; white space is skipped, padding may be left out. nullopt for anything
// else.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace banquet
