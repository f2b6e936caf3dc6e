#include "banquet/online/redis/restore_frames.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "banquet/online/redis/crc64.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/listpack.h"
#include "banquet/online/redis/row_frames.h"

namespace banquet::redis {
namespace {

constexpr std::string_view kRestore = "*4\r\n$7\r\nRESTORE\r\n";
constexpr char kHashAsListpack = 16;  // RDB_TYPE_HASH_LISTPACK
constexpr std::string_view kRdbVersion("\x0a\x00", 2);
constexpr size_t kChecksumBytes = 8;
// Beyond these, which only unusual limits allow, HSET is as fast.
constexpr size_t kWordBytesMax = 64 << 10;
constexpr size_t kListpackBytesMax = 1 << 20;  // The buffer grows by so much ahead of each row.
constexpr size_t kBlockBytes = 16;             // Short values are copied so many bytes at a time.

constexpr std::string_view kLineEnd = "\r\n";

// Of "$<number>\r\n".
constexpr size_t HeaderBytes(size_t number) {
  size_t bytes = 4;
  for (size_t power = 10; number >= power; power *= 10) ++bytes;
  return bytes;
}

constexpr size_t RdbLengthBytes(size_t length) { return length < 64 ? 1 : length < 16384 ? 2 : 5; }

char* PutRdbLength(char* out, size_t length) {
  if (length < 64) {
    *out++ = static_cast<char>(length);
  } else if (length < 16384) {
    *out++ = static_cast<char>(0x40 | length >> 8);
    *out++ = static_cast<char>(length);
  } else {
    *out++ = static_cast<char>(0x80);
    for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<char>(length >> shift);
  }
  return out;
}

// A copy of a fixed number of bytes, of which `size` count, is one or two instructions.
template <size_t kBytes>
inline char* PutBlock(char* out, const char* bytes, size_t size) {
  std::memcpy(out, bytes, kBytes);
  return out + size;
}

std::string Element(std::string_view text) {
  std::string element(text.size() + kListpackOverheadMax, '\0');
  element.resize(static_cast<size_t>(PutListpackElement(element.data(), text) - element.data()));
  return element;
}

char* PutBytes(char* out, std::string_view bytes) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

size_t PayloadBytes(size_t listpack_bytes) {
  return sizeof kHashAsListpack + RdbLengthBytes(listpack_bytes) + listpack_bytes +
         kRdbVersion.size() + kChecksumBytes;
}

}  // namespace

std::optional<RestoreFrames> RestoreFrames::Make(std::span<const ViewColumns> views,
                                                 int64_t key_ttl_seconds, ListpackLimits limits) {
  RestoreFrames frames;
  frames.word_bytes_max_ = std::min(limits.word_bytes_max, kWordBytesMax);
  std::set<std::string> fields;
  size_t elements = 0;
  size_t bytes = kListpackHeadBytes + sizeof kListpackEnd;
  for (const ViewColumns& view : views) {
    frames.project_ = view.project;
    ViewFrame& frame = frames.views_.emplace_back();
    frame.time_field = Element(TimeField(view.view));
    bytes += frame.time_field.size() + kTimestampBytesMax + kListpackOverheadMax;
    fields.insert(TimeField(view.view));
    for (const Field& feature : view.features) {
      const std::string field = FeatureField(view.view, feature.name);
      const std::string element = Element(field);
      Column& column = frames.columns_.emplace_back();
      column.field_bytes = std::min(element.size(), sizeof column.field);
      std::memcpy(column.field, element.data(), column.field_bytes);
      bytes += column.field_bytes + frames.word_bytes_max_ + kListpackOverheadMax;
      fields.insert(field);
    }
    frame.columns_end = frames.columns_.size();
    elements += 2 * (1 + view.features.size());
  }
  const size_t longest =
      fields.empty() ? 0 : std::ranges::max(fields, {}, &std::string::size).size();
  if (fields.size() * 2 != elements || elements > kListpackElementsMax ||
      fields.size() > limits.fields_max || bytes > kListpackBytesMax ||
      std::max(longest, kTimestampBytesMax) > frames.word_bytes_max_) {
    return std::nullopt;
  }
  const std::string ttl_ms = std::to_string(key_ttl_seconds * 1000);
  frames.ttl_.resize(ttl_ms.size() + kWordOverheadMax);
  frames.ttl_.resize(static_cast<size_t>(PutWord(frames.ttl_.data(), ttl_ms) - frames.ttl_.data()));
  frames.row_bytes_max_ = kRestore.size() + frames.project_.size() + frames.ttl_.size() +
                          3 * kWordOverheadMax + bytes + kChecksumBytes + kBlockBytes;
  return frames;
}

void RestoreFrames::Use(const EncodedBatch& batch) {
  batch_ = &batch;
  size_t i = 0;
  for (const auto& view : batch.views) {
    for (const EncodedFeature& feature : view) {
      Column& column = columns_[i++];
      column.offsets = feature.values.offsets.data();
      column.data = feature.values.data.data();
      const size_t bytes = feature.values.data.size();
      column.blocks_end = bytes < kBlockBytes ? 0 : bytes - kBlockBytes + 1;
    }
  }
}

size_t RestoreFrames::HeadBytes(size_t entity_key_bytes, size_t listpack_bytes) const {
  const size_t key_bytes = entity_key_bytes + project_.size();
  return kRestore.size() + HeaderBytes(key_bytes) + key_bytes + kLineEnd.size() + ttl_.size() +
         HeaderBytes(PayloadBytes(listpack_bytes));
}

void RestoreFrames::PutHead(char* out, std::string_view entity_key) const {
  out = PutKeyWord(PutBytes(out, kRestore), entity_key, project_);
  PutHeader(PutBytes(out, ttl_), '$', PayloadBytes(listpack_bytes_));
}

// `out` has room for a block more.
inline char* RestoreFrames::PutValue(char* out, const Column& column, uint32_t row) const {
  const size_t begin = column.offsets[row];
  const size_t size = column.offsets[row + 1] - begin;
  const char* bytes = column.data + begin;
  if (size > kBlockBytes || begin >= column.blocks_end || MayBeListpackInteger({bytes, size})) {
    return size > word_bytes_max_ ? nullptr : PutListpackElement(out, {bytes, size});
  }
  *out++ = static_cast<char>(0x80 | size);
  out = PutBlock<kBlockBytes>(out, bytes, size);
  *out++ = static_cast<char>(size + 1);
  return out;
}

char* RestoreFrames::PutListpack(char* out, uint32_t row) const {
  char time[kTimestampBytesMax];
  const auto time_bytes = static_cast<size_t>(PutTimestamp(time, batch_->event_us[row]) - time);
  char* at = out + kListpackHeadBytes;
  const Column* column = columns_.data();
  for (const ViewFrame& view : views_) {
    at = PutListpackElement(PutBytes(at, view.time_field), {time, time_bytes});
    for (const Column* end = columns_.data() + view.columns_end; column != end; ++column) {
      at = PutBlock<sizeof column->field>(at, column->field, column->field_bytes);
      at = PutValue(at, *column, row);
      if (at == nullptr) return nullptr;
    }
  }
  *at++ = static_cast<char>(kListpackEnd);
  const auto bytes = static_cast<uint32_t>(at - out);
  const auto elements = static_cast<uint16_t>(2 * (views_.size() + columns_.size()));
  std::memcpy(out, &bytes, sizeof bytes);
  std::memcpy(out + sizeof bytes, &elements, sizeof elements);
  return at;
}

bool RestoreFrames::Put(uint32_t row, CommandBuffer* out) {
  const std::string_view entity_key = batch_->keys[row];
  char* const begin = out->Reserve(row_bytes_max_ + entity_key.size());
  while (true) {
    // What is before the listpack depends on its length, which is known when it is written.
    char* const payload = begin + HeadBytes(entity_key.size(), listpack_bytes_);
    char* const listpack = payload + sizeof kHashAsListpack + RdbLengthBytes(listpack_bytes_);
    char* at = PutListpack(listpack, row);
    if (at == nullptr) return false;
    const auto listpack_bytes = static_cast<size_t>(at - listpack);
    const size_t guessed_bytes = std::exchange(listpack_bytes_, listpack_bytes);
    if (HeaderBytes(PayloadBytes(listpack_bytes)) != HeaderBytes(PayloadBytes(guessed_bytes)) ||
        RdbLengthBytes(listpack_bytes) != RdbLengthBytes(guessed_bytes)) {
      continue;
    }
    PutHead(begin, entity_key);
    *payload = kHashAsListpack;
    PutRdbLength(payload + sizeof kHashAsListpack, listpack_bytes);
    at = PutBytes(at, kRdbVersion);
    const uint64_t checksum = Crc64({payload, static_cast<size_t>(at - payload)});
    std::memcpy(at, &checksum, kChecksumBytes);
    at += kChecksumBytes;
    out->Commit(PutBytes(at, kLineEnd));
    return true;
  }
}

}  // namespace banquet::redis
