#pragma once
// Where the registry is (feast-compat 1.3).

#include <string>

namespace banquet {

struct RegistrySettings {
  std::string type = "file";        // registry_type.
  std::string path;                 // Absolute, or with a scheme.
  std::string registry_store_type;  // Class path, or empty.
  bool online_feature_view_versioning = false;
};

}  // namespace banquet
