#pragma once
// Answers the question of Feast's get_online_features from an online store.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/model/registry_contents.h"
#include "banquet/online/online_store.h"

namespace banquet {

// Either `features` ("view:feature", "view@v2:feature") or `feature_service`.
struct LookupQuery {
  std::vector<std::string> features;
  std::string feature_service;
  std::vector<std::map<std::string, std::string>>
      entities;                     // Join key -> value as text, one map per row.
  bool full_feature_names = false;  // "view__feature" instead of "feature".
};

// One value of the answer.
struct LookupValue {
  bool found = false;
  std::string value_bytes;  // feast.types.Value; empty: null.
  int64_t event_us = 0;     // 0 where nothing was found, as in Feast.
};

// A column of the answer: a join key or a feature, one value per entity row.
struct LookupColumn {
  std::string name;
  bool is_join_key = false;
  std::vector<LookupValue> values;  // Features.
  std::vector<std::string> keys;    // Join keys, as given.
  bool key_is_number = false;
};

struct LookupAnswer {
  std::vector<LookupColumn> columns;
  // For the person who asked: a view of which none of the entities is stored.
  std::vector<std::string> hints;
};

// Join keys first, in the order of the views, then features in the order asked for. Unknown names
// are user errors with the nearest one, so are join keys that are missing or that no view asked for
// has, and features asked for twice; two features of one name ask for full names.
Result<LookupAnswer> LookUpOnline(const RegistryContents& contents, const RepoConfig& config,
                                  OnlineStore& store, const LookupQuery& query);

}  // namespace banquet
