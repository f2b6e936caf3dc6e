#pragma once
// The engine that runs plans in this process (`batch_engine: local`).

#include <memory>

#include "banquet/engine/compute_engine.h"
#include "banquet/model/source_reach.h"

namespace banquet {

// `backend: pandas` and `polars` are accepted words for it; other keys of the block are user
// errors. `reach` is that of the offline store.
Result<std::unique_ptr<ComputeEngine>> MakeLocalComputeEngine(const ConfigNode& block,
                                                              SourceReach reach);

}  // namespace banquet
