#pragma once
// The engine that runs plans in this process (`batch_engine: local`).

#include <memory>

#include "banquet/engine/compute_engine.h"

namespace banquet {

// `backend: pandas` and `polars` are accepted words for it; other keys of the block are user
// errors.
Result<std::unique_ptr<ComputeEngine>> MakeLocalComputeEngine(const ConfigNode& block);

}  // namespace banquet
