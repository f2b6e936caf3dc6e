#pragma once
// Record batches of an Arrow IPC stream from a pipe: what `banquet sink` reads.

#include <memory>
#include <string>
#include <string_view>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"

namespace banquet {

// Used by one thread at a time. A stream that breaks off, also between two batches, where Arrow
// takes the end of the file for that of the stream, is a data error: who wrote it has died.
class ArrowStream {
 public:
  // Reads the schema. `descriptor` is borrowed.
  static Result<std::unique_ptr<ArrowStream>> Open(int descriptor);
  virtual ~ArrowStream() = default;

  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  // nullptr: the stream's end-of-stream marker was read, and nothing behind it.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

// Reads exactly `size` bytes of the descriptor; fewer are a data error that names `what`.
Result<std::string> ReadExactly(int descriptor, size_t size, std::string_view what);

}  // namespace banquet
