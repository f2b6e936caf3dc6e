#include "banquet/online/redis/restore_frames.h"

#include <algorithm>
#include <cstring>
#include <set>

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
constexpr size_t kBlockBytes = 16;  // Short values are copied so many bytes at a time.

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

std::string Element(std::string_view text) {
  std::string element(text.size() + kListpackOverheadMax, '\0');
  element.resize(static_cast<size_t>(PutListpackElement(element.data(), text) - element.data()));
  return element;
}

char* PutBytes(char* out, std::string_view bytes) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// The element of one value. `out` has room for a block more.
inline char* PutValue(char* out, const BytesColumn& values, uint32_t row) {
  const size_t begin = values.offsets[row];
  const size_t size = values.offsets[row + 1] - begin;
  const char* bytes = values.data.data() + begin;
  if (size > kBlockBytes || begin + kBlockBytes > values.data.size() ||
      MayBeListpackInteger({bytes, size})) {
    return PutListpackElement(out, {bytes, size});
  }
  *out++ = static_cast<char>(0x80 | size);
  std::memcpy(out, bytes, kBlockBytes);
  out += size;
  *out++ = static_cast<char>(size + 1);
  return out;
}

}  // namespace

std::optional<RestoreFrames> RestoreFrames::Make(std::span<const ViewColumns> views,
                                                 int64_t key_ttl_seconds, ListpackLimits limits) {
  RestoreFrames frames;
  frames.word_bytes_max_ = limits.word_bytes_max;
  frames.fixed_bytes_ = kListpackHeadBytes + sizeof kListpackEnd;
  std::set<std::string> fields;
  const auto add = [&](const std::string& field) {
    fields.insert(field);
    frames.elements_ += 2;
    std::string element = Element(field);
    frames.fixed_bytes_ += element.size();
    return element;
  };
  for (const ViewColumns& view : views) {
    frames.project_ = view.project;
    ViewFrame& frame = frames.views_.emplace_back();
    frame.time_field = add(TimeField(view.view));
    for (const Field& feature : view.features) {
      frame.field_frames.push_back(add(FeatureField(view.view, feature.name)));
    }
  }
  const size_t longest =
      fields.empty() ? 0 : std::ranges::max(fields, {}, &std::string::size).size();
  const size_t fields_max = std::min(limits.fields_max, kListpackElementsMax / 2);
  if (fields.size() * 2 != frames.elements_ || fields.size() > fields_max ||
      std::max(longest, kTimestampBytesMax) > limits.word_bytes_max) {
    return std::nullopt;
  }
  const std::string ttl_ms = std::to_string(key_ttl_seconds * 1000);
  frames.ttl_.resize(ttl_ms.size() + kWordOverheadMax);
  frames.ttl_.resize(static_cast<size_t>(PutWord(frames.ttl_.data(), ttl_ms) - frames.ttl_.data()));
  return frames;
}

bool RestoreFrames::FitsListpack(const EncodedBatch& batch, uint32_t row,
                                 size_t* values_bytes) const {
  size_t bytes = 0;
  for (size_t view = 0; view < views_.size(); ++view) {
    for (const EncodedFeature& feature : batch.views[view]) {
      const std::vector<uint64_t>& offsets = feature.values.offsets;
      const size_t size = offsets[row + 1] - offsets[row];
      if (size > word_bytes_max_) return false;
      bytes += ListpackStringBytes(size);
    }
  }
  *values_bytes = bytes;
  return true;
}

char* RestoreFrames::PutHead(char* out, std::string_view entity_key, size_t listpack_bytes) const {
  const size_t payload_bytes = sizeof kHashAsListpack + RdbLengthBytes(listpack_bytes) +
                               listpack_bytes + kRdbVersion.size() + kChecksumBytes;
  out = PutKeyWord(PutBytes(out, kRestore), entity_key, project_);
  return PutHeader(PutBytes(out, ttl_), '$', payload_bytes);
}

char* RestoreFrames::PutListpack(char* out, const EncodedBatch& batch, uint32_t row,
                                 std::string_view time) const {
  char* at = out + kListpackHeadBytes;
  for (size_t view = 0; view < views_.size(); ++view) {
    const ViewFrame& frame = views_[view];
    at = PutListpackElement(PutBytes(at, frame.time_field), time);
    const std::vector<EncodedFeature>& features = batch.views[view];
    for (size_t i = 0; i < frame.field_frames.size(); ++i) {
      at = PutValue(PutBytes(at, frame.field_frames[i]), features[i].values, row);
    }
  }
  *at++ = static_cast<char>(kListpackEnd);
  const auto bytes = static_cast<uint32_t>(at - out);
  const auto elements = static_cast<uint16_t>(elements_);
  std::memcpy(out, &bytes, sizeof bytes);
  std::memcpy(out + sizeof bytes, &elements, sizeof elements);
  return at;
}

bool RestoreFrames::Put(const EncodedBatch& batch, uint32_t row, CommandBuffer* out) const {
  size_t values_bytes = 0;
  if (!FitsListpack(batch, row, &values_bytes)) return false;
  const std::string_view entity_key = batch.keys[row];
  char time[kTimestampBytesMax];
  const auto time_bytes = static_cast<size_t>(PutTimestamp(time, batch.event_us[row]) - time);
  size_t listpack_bytes =
      fixed_bytes_ + values_bytes + views_.size() * ListpackStringBytes(time_bytes);
  char* const begin =
      out->Reserve(kRestore.size() + entity_key.size() + project_.size() + ttl_.size() +
                   3 * kWordOverheadMax + listpack_bytes + kChecksumBytes + kBlockBytes);
  while (true) {
    char* const payload = PutHead(begin, entity_key, listpack_bytes);
    char* at = payload;
    *at++ = kHashAsListpack;
    char* const listpack = PutRdbLength(at, listpack_bytes);
    at = PutListpack(listpack, batch, row, {time, time_bytes});
    const auto actual_bytes = static_cast<size_t>(at - listpack);
    if (actual_bytes != listpack_bytes) {
      // Values that read as integers are shorter: once more, with the head of that length.
      listpack_bytes = actual_bytes;
      continue;
    }
    at = PutBytes(at, kRdbVersion);
    const uint64_t checksum = Crc64({payload, static_cast<size_t>(at - payload)});
    std::memcpy(at, &checksum, kChecksumBytes);
    at += kChecksumBytes;
    *at++ = '\r';
    *at++ = '\n';
    out->Commit(at);
    return true;
  }
}

}  // namespace banquet::redis
