#pragma once
// The seam between the benches and how rows are framed for Redis.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"

namespace banquet::bench {

// Used by one thread. Reuses its buffer.
class Framing {
 public:
  virtual ~Framing() = default;
  // Frames the write of every row of the batch; returns the bytes.
  virtual uint64_t Frame(const EncodedBatch& batch) = 0;
};

// What the Redis store writes: to keys that are there, and to new ones.
enum class RedisCommand { kHset, kRestore };
Result<std::unique_ptr<Framing>> MakeFraming(RedisCommand command,
                                             std::span<const ViewColumns> views);

// The plain HSET of a row, framed without the store's code: the ceiling that a faster command is
// held against.
void AppendHset(const EncodedBatch& batch, size_t row, const ViewColumns& view, std::string* out);

}  // namespace banquet::bench
