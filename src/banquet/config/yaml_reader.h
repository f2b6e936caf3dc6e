#pragma once
// YAML text as ConfigNode, read as Python's yaml.safe_load reads it, with bounds on what a hostile
// file can cost.

#include <string>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"

namespace banquet {

constexpr size_t kYamlBytesMax = 1 << 20;
constexpr size_t kYamlNodesMax = 10'000;  // Aliases counted as often as they are used.
constexpr int kYamlDepthMax = 32;

// Refuses what safe_load refuses (no mapping at the top is refused too); `file` stands in messages.
// A key that stands twice keeps its last value, with a warning.
Result<ConfigNode> ReadYaml(const std::string& text, const std::string& file,
                            std::vector<std::string>* warnings);

}  // namespace banquet
