#include "banquet/base/config_node.h"

#include <algorithm>

namespace banquet {

std::string ConfigLocation::ToString() const {
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

bool ConfigNode::SaysTheSame(const ConfigNode& other) const {
  const auto same = [](const ConfigNode& a, const ConfigNode& b) { return a.SaysTheSame(b); };
  return kind == other.kind && scalar == other.scalar &&
         std::ranges::equal(items, other.items, same) &&
         std::ranges::equal(entries, other.entries, [](const auto& a, const auto& b) {
           return a.key == b.key && a.value.SaysTheSame(b.value);
         });
}

const ConfigNode* ConfigNode::Find(const std::string& key) const {
  const auto found = std::ranges::find(entries, key, &ConfigEntry::key);
  return found == entries.end() ? nullptr : &found->value;
}

}  // namespace banquet
