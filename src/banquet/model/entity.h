#pragma once
// A thing that features describe (Feast's Entity).

#include <cstdint>
#include <map>
#include <string>

#include "banquet/model/value_type.h"

namespace banquet {

// Feast registers this one always; views without entities are keyed by it (feast-compat 2.2, 4.3).
inline constexpr char kDummyEntityName[] = "__dummy";
inline constexpr char kDummyJoinKey[] = "__dummy_id";

struct Entity {
  std::string name;
  std::string project;
  std::string join_key;
  ValueType value_type = ValueType::kUnknown;
  std::string description;
  std::string owner;
  std::map<std::string, std::string> tags;
};

}  // namespace banquet
