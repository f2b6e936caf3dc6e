#pragma once
// Where the configuration's text comes from (feast-compat 1.1).

#include <string>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"

namespace banquet {

struct YamlSource {
  std::string text;  // As stored, variables not yet replaced.
  std::string name;  // For messages: the path as the user wrote it, or FEATURE_STORE_YAML_BASE64.
  std::string repo_path;  // Absolute.
};

// What the request holds itself, else from FEATURE_STORE_YAML_BASE64 where it is set, else from the
// file that request and environment name.
Result<YamlSource> ReadYamlSource(const ConfigRequest& request);

// The value of a variable; an empty one counts as not set.
std::string VariableOf(const std::map<std::string, std::string>& environment,
                       const std::string& name);

// `path` from `folder`, "." parts left out; ".." stays, for it may lead through a link.
std::string JoinPath(const std::string& folder, const std::string& path);

}  // namespace banquet
