#pragma once
// Runs one pipeline on N workers that pull, map and consume. Threads that block; no queues.

#include <memory>
#include <stop_token>
#include <vector>

#include "banquet/exec/stage.h"

namespace banquet {

struct Pipeline {
  std::unique_ptr<Source> source;
  std::vector<std::unique_ptr<Transform>> transforms;
  Sink* sink = nullptr;  // Borrowed until RunPipeline returns.
};

// Returns the first error of any worker, CancelledError when stop was requested, else what Finish
// says.
Status RunPipeline(const Pipeline& pipeline, int worker_count, const std::stop_token& stop);

}  // namespace banquet
