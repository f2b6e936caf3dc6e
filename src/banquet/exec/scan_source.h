#pragma once
// The source that reads a scan's fragments, shared by all workers of a pipeline.

#include <memory>

#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/offline/offline_store.h"

namespace banquet {

// Each worker has a fragment of its own as long as there are any. `fates` is borrowed; counts read
// and bytes_read.
std::unique_ptr<Source> MakeScanSource(Scan scan, RowFates* fates);

}  // namespace banquet
