#pragma once
// The source that reads a scan's stream: rows that come once.

#include <memory>

#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/offline/offline_store.h"

namespace banquet {

// Numbers the rows from 0 in the order in which they come, and counts them and their bytes in
// `fates`, which is borrowed. Workers take turns. After an error every call gives that error.
std::unique_ptr<Source> MakeOnePassSource(std::unique_ptr<FragmentReader> stream, RowFates* fates);

}  // namespace banquet
