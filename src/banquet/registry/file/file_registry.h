#pragma once
// Feast's default registry: one protobuf message in one local file (feast-compat 2.4).

#include <memory>
#include <string>

#include "banquet/registry/registry.h"

namespace banquet {

// `path` is read at each call, so that a file that was replaced is seen; `clock` must outlive the
// registry.
std::unique_ptr<Registry> MakeFileRegistry(std::string path, Clock& clock);

}  // namespace banquet
