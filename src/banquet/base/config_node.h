#pragma once
// A piece of configuration as plain data, so that only config/ sees YAML.

#include <string>
#include <vector>

namespace banquet {

// Where a word of configuration stands; line 0 means "not from a file" (a command-line option, a
// default).
struct ConfigLocation {
  std::string file;
  int line = 0;
  std::string ToString() const;  // "feature_store.yaml:12"
};

struct ConfigEntry;

// A null, a scalar as it is written, a list or a map in file order.
struct ConfigNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string scalar;                // kScalar: the text; kNull: empty.
  bool quoted = false;               // kScalar: was quoted, so "5" is text and not a number.
  std::vector<ConfigNode> items;     // kList
  std::vector<ConfigEntry> entries;  // kMap
  ConfigLocation location;           // Of the value; of the key for map entries.

  // The same words in the same order, wherever they stand.
  bool SaysTheSame(const ConfigNode& other) const;

  // The entry of a map, or nullptr; also nullptr when this is no map.
  const ConfigNode* Find(const std::string& key) const;
};

// A key of a map and what it holds.
struct ConfigEntry {
  std::string key;
  ConfigNode value;
};

}  // namespace banquet
