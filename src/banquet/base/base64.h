#pragma once
// Base64: FEATURE_STORE_YAML_BASE64, bytes in JSON.

#include <optional>
#include <string>
#include <string_view>

namespace banquet {

// The standard alphabet; white space is skipped, padding may be left out. nullopt for anything
// else.
std::optional<std::string> DecodeBase64(std::string_view text);

// Appends it in the standard alphabet, padded.
void AppendBase64(std::string_view bytes, std::string* out);

}  // namespace banquet
