#pragma once
// The source of a pipeline whose rows another process sends.

#include <memory>

#include "banquet/client/ipc/arrow_stream.h"
#include "banquet/exec/stage.h"

namespace banquet {

// `stream` is borrowed. Rows without an event time are a data error: whoever sends has filtered.
// Its column of event times (model/scan_request.h) must be there, timestamp[us, UTC]; else it is
// one too.
Result<std::unique_ptr<Source>> MakeStreamSource(ArrowStream* stream);

}  // namespace banquet
