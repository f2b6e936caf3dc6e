#pragma once
// From a task to what the stores write for it.

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/model/materialization_task.h"
#include "banquet/model/registry_contents.h"
#include "banquet/model/view_columns.h"

namespace banquet {

// The name of a view's version in online storage: with _vN where versioning is on and N > 0
// (feast-compat 1.5).
std::string StorageNameOf(const RepoConfig& config, const std::string& view, int version_number);

// The join keys of a view: its entity columns, or {__dummy_id STRING} for an entityless view; of an
// old registry without entity columns, those of its entities. An entity that the registry lacks is
// a user error.
Result<std::vector<Field>> JoinKeysOf(const FeatureView& view, const RegistryContents& contents,
                                      const std::string& project);

// Columns, rules (banquet.overwrite, banquet.guard; strict by default for views that are also
// pushed to) and names.
Result<ViewColumns> ViewColumnsOf(const MaterializationTask& task, const RegistryContents& contents,
                                  const RepoConfig& config);

}  // namespace banquet
