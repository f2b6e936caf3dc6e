#include "banquet/exec/pipeline.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "banquet/base/exception_guard.h"

namespace banquet {
namespace {

Status RunWorker(const Pipeline& pipeline, const std::atomic<bool>& failed,
                 const std::stop_token& stop) {
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<Sink::Local> local, pipeline.sink->NewLocal());
  while (!failed.load(std::memory_order_relaxed)) {
    if (stop.stop_requested()) return CancelledError();
    BANQUET_ASSIGN_OR_RETURN(Batch batch, pipeline.source->Next());
    if (batch.rows == nullptr) return pipeline.sink->Combine(*local);
    for (const auto& transform : pipeline.transforms) {
      BANQUET_ASSIGN_OR_RETURN(batch, transform->Apply(std::move(batch)));
    }
    BANQUET_RETURN_NOT_OK(pipeline.sink->Consume(*local, std::move(batch)));
  }
  return Status::OK();  // Another worker's error is the one to report.
}

}  // namespace

Status RunPipeline(const Pipeline& pipeline, int worker_count, const std::stop_token& stop) {
  std::mutex mutex;
  Status first_error;
  std::atomic<bool> failed = false;
  {
    std::vector<std::jthread> workers;
    workers.reserve(worker_count);
    for (int i = 0; i < worker_count; ++i) {
      workers.emplace_back([&] {
        Status status = WithoutExceptions([&] { return RunWorker(pipeline, failed, stop); });
        if (status.ok()) return;
        failed = true;
        std::lock_guard lock(mutex);
        if (first_error.ok()) first_error = std::move(status);
      });
    }
  }
  if (!first_error.ok()) return first_error;
  return WithoutExceptions([&] { return pipeline.sink->Finish(); });
}

}  // namespace banquet
