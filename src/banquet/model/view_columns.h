#pragma once
// What encode/ and the online stores need to know of a view.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "banquet/model/field.h"

namespace banquet {

// banquet.overwrite and banquet.guard (architecture, rule 1).
enum class Overwrite { kNewest, kFeast, kAlways };
enum class Guard { kCheck, kStrict };

struct ViewColumns {
  std::string project;
  std::string view;  // The name in online storage: with _vN where versioning applies.
  std::vector<Field>
      join_keys;  // Entity columns in stored order; {__dummy_id STRING} for an entityless view.
  std::vector<Field> features;  // In stored order.
  bool has_created_time = false;
  int64_t ttl_us = 0;                       // Of the view; 0: none.
  int entity_key_version = 3;               // 3, or 2.
  std::map<std::string, std::string> tags;  // Of the view.
  Overwrite overwrite = Overwrite::kNewest;
  Guard guard = Guard::kCheck;
};

}  // namespace banquet
