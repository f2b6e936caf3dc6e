#pragma once
// The registry that the configuration names.

#include <memory>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/registry/registry.h"

namespace banquet {

// A registry type, or a path scheme, that this version cannot read is a user error that names it.
// `clock` must outlive the registry.
Result<std::unique_ptr<Registry>> MakeRegistry(const RepoConfig& config, Clock& clock);

}  // namespace banquet
