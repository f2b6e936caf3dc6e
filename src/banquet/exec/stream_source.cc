#include "banquet/exec/stream_source.h"

#include <mutex>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

class StreamSource final : public Source {
 public:
  StreamSource(ArrowStream* stream, int event_time) : stream_(stream), event_time_(event_time) {}

  Result<Batch> Next() override {
    const std::lock_guard lock(mutex_);
    if (is_at_end_) return Batch{};
    BANQUET_ASSIGN_OR_RETURN(auto rows, stream_->Next());
    if (rows == nullptr) {
      is_at_end_ = true;
      return Batch{};
    }
    if (rows->column(event_time_)->null_count() > 0)
      return DataError("A row of the stream has no event time");
    const int64_t first = next_row_;
    next_row_ += rows->num_rows();
    return Batch{.rows = std::move(rows), .first_row = first, .selection = {}};
  }

 private:
  ArrowStream* const stream_;
  const int event_time_;
  std::mutex mutex_;
  bool is_at_end_ = false;
  int64_t next_row_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeStreamSource(ArrowStream* stream) {
  const arrow::Schema& schema = *stream->schema();
  const int column = schema.GetFieldIndex(kEventTimeColumn);
  const auto wanted = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  if (column < 0 || !schema.field(column)->type()->Equals(wanted)) {
    return DataError("The stream has no column {} of type {}", kEventTimeColumn,
                     wanted->ToString());
  }
  return std::make_unique<StreamSource>(stream, column);
}

}  // namespace banquet
