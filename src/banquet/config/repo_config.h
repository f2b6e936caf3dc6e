#pragma once
// feature_store.yaml, read and checked (feast-compat section 1). The only folder that sees YAML.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/option_table.h"
#include "banquet/base/status.h"
#include "banquet/config/run_options.h"
#include "banquet/model/registry_settings.h"

namespace banquet {

struct RepoConfig {
  std::string repo_path;  // Absolute; relative paths in the file count from here.
  std::string yaml_path;  // For messages; "FEATURE_STORE_YAML_BASE64" when it came from there.
  std::string project;
  std::string provider = "local";
  RegistrySettings registry;       // Path made absolute.
  std::string online_store_type;   // Aliases resolved; "" when `online_store: null`.
  ConfigNode online_store;         // The block as written (may be null).
  std::string offline_store_type;  // "dask" by default.
  ConfigNode offline_store;
  // "local" by default. Where Feast's engine is our plug-in, what its `engine` says, or "local";
  // its other keys are options.
  std::string batch_engine_type;
  ConfigNode batch_engine;
  int entity_key_serialization_version = 3;
  bool pull_latest_features = false;
  std::optional<int64_t> online_write_batch_size;  // Rows.
  RunOptions options;                              // banquet:
  std::vector<std::string> warnings;               // For the user, once.
  // What it was read from, for a process that works for this one: the text with its variables
  // replaced, which may hold secrets, and the options of the command line.
  std::string yaml_text;
  std::vector<std::pair<std::string, std::string>> overrides;
};

struct ConfigRequest {
  std::string chdir;  // -c/--chdir; empty: FEATURE_REPO_DIR_ENV_VAR, else the working directory.
  std::string yaml_file;  // -f/--feature-store-yaml; empty: FEAST_FS_YAML_FILE_PATH, else
                          // <repo>/feature_store.yaml.
  // The configuration itself, as another process resolved it; then no file is looked for and no
  // variable replaced.
  std::optional<std::string> given_text;
  // Command-line values of options of `banquet:`: name ("memory_limit") and text; win over the
  // file.
  std::vector<std::pair<std::string, std::string>> overrides;
  // The environment; tests pass their own.
  std::map<std::string, std::string> environment;
};

// The process's environment.
std::map<std::string, std::string> ProcessEnvironment();

// Finds, interpolates, parses and checks. Every mistake is a user error "file:line: key: what; did
// you mean …".
Result<RepoConfig> LoadRepoConfig(const ConfigRequest& request);

// The file's text after Python's os.path.expandvars (feast-compat 1.1).
std::string ExpandVariables(const std::string& text,
                            const std::map<std::string, std::string>& environment);

}  // namespace banquet
