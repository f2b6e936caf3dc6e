#pragma once
// Feast's registry message as plain data (feast-compat 2.1 to 2.3).

#include "banquet/base/status.h"
#include "banquet/model/registry_contents.h"

namespace feast::core {
class Registry;
}  // namespace feast::core

namespace banquet {

// Data error when a snapshot in the version history is damaged; snapshots of kinds unknown here are
// left out.
Result<RegistryContents> DecodeRegistry(const feast::core::Registry& registry);

}  // namespace banquet
