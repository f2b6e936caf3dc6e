#pragma once
// A named, typed column: a feature or an entity column (Feast's Field, FeatureSpecV2).

#include <map>
#include <string>

#include "banquet/model/value_type.h"

namespace banquet {

struct Field {
  std::string name;
  ValueType type = ValueType::kUnknown;
  // Tags carry the schema of structs and nested collections: feast:struct_schema,
  // feast:nested_inner_type.
  std::map<std::string, std::string> tags;
  std::string description;
  bool operator==(const Field&) const = default;
};

}  // namespace banquet
