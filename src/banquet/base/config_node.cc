#include "banquet/base/config_node.h"

#include <algorithm>

namespace banquet {

std::string ConfigLocation::ToString() const {
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

const ConfigNode* ConfigNode::Find(const std::string& key) const {
  const auto found = std::ranges::find(entries, key, &ConfigEntry::key);
  return found == entries.end() ? nullptr : &found->value;
}

}  // namespace banquet
