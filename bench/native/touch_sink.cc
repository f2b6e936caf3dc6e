#include "bench/native/touch_sink.h"

#include <cstring>

#include "arrow/array/data.h"
#include "arrow/buffer.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "bench/native/meters.h"

namespace banquet::bench {
namespace {

struct Touched final : public Sink::Local {
  int64_t rows = 0;
  uint64_t sum = 0;
};

uint64_t SumBytes(const uint8_t* begin, int64_t bytes) {
  uint64_t sum = 0;
  int64_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    uint64_t word;
    std::memcpy(&word, begin + at, 8);
    sum += word;
  }
  for (; at < bytes; ++at) sum += begin[at];
  return sum;
}

uint64_t Touch(const arrow::ArrayData& data);

// Values between the first and the last offset of a binary or list array.
uint64_t TouchByOffsets(const arrow::ArrayData& data) {
  if (data.length == 0 || data.buffers[1] == nullptr) return 0;
  const int32_t* offsets = data.GetValues<int32_t>(1);
  const int64_t begin = offsets[0];
  const int64_t size = offsets[data.length] - begin;
  if (!data.child_data.empty()) return Touch(*data.child_data[0]->Slice(begin, size));
  const auto& bytes = data.buffers[2];
  return bytes == nullptr ? 0 : SumBytes(bytes->data() + begin, size);
}

uint64_t Touch(const arrow::ArrayData& data) {
  const arrow::Type::type id = data.type->id();
  if (arrow::is_base_binary_like(id) || id == arrow::Type::LIST || id == arrow::Type::MAP) {
    return TouchByOffsets(data);
  }
  uint64_t sum = 0;
  if (arrow::is_fixed_width(id) && data.buffers.size() > 1 && data.buffers[1] != nullptr) {
    const int64_t bits = data.type->bit_width();
    const int64_t first = data.offset * bits / 8;
    const int64_t end = (data.offset + data.length) * bits / 8;
    sum += SumBytes(data.buffers[1]->data() + first, end - first);
  }
  for (const auto& child : data.child_data) sum += Touch(*child);
  return sum;
}

}  // namespace

Result<std::unique_ptr<Sink::Local>> TouchSink::NewLocal() {
  double unset = 0;
  began_.compare_exchange_strong(unset, Now());
  return std::make_unique<Touched>();
}

Status TouchSink::Consume(Local& local, Batch batch) {
  auto& touched = static_cast<Touched&>(local);
  touched.rows += batch.selection.has_value() ? static_cast<int64_t>(batch.selection->size())
                                              : batch.rows->num_rows();
  for (const auto& column : batch.rows->column_data()) touched.sum += Touch(*column);
  return Status::OK();
}

Status TouchSink::Combine(Local& local) {
  const auto& touched = static_cast<Touched&>(local);
  rows_ += touched.rows;
  checksum_ += touched.sum;
  return Status::OK();
}

}  // namespace banquet::bench
