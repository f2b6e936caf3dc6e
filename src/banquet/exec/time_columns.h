#pragma once
// Reading the reserved time columns of a batch (model/scan_request.h).

#include <cstdint>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet {

// One time column of one batch, for reading row by row. Borrows the batch.
struct TimeView {
  const int64_t* us = nullptr;           // Null pointer: the source has no such time.
  const uint16_t* nanos = nullptr;       // Null pointer: all zero.
  const arrow::Array* column = nullptr;  // For nulls; null pointer when there are none.
  bool IsNull(int64_t row) const;
  uint16_t Nanos(int64_t row) const { return nanos == nullptr ? 0 : nanos[row]; }
};

// Where the time columns stand in a schema.
class TimeColumns {
 public:
  static Result<TimeColumns> Find(const arrow::Schema& schema);
  TimeView Event(const arrow::RecordBatch& batch) const {
    return View(batch, event_, event_nanos_);
  }
  TimeView Created(const arrow::RecordBatch& batch) const {
    return View(batch, created_, created_nanos_);
  }
  bool has_created() const { return created_ >= 0; }
  bool has_nanos() const { return event_nanos_ >= 0; }

 private:
  static TimeView View(const arrow::RecordBatch& batch, int time, int nanos);
  int event_ = -1;
  int event_nanos_ = -1;
  int created_ = -1;
  int created_nanos_ = -1;
};

}  // namespace banquet
