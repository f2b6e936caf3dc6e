#include "banquet/online/redis/row_frames.h"

#include <cstring>

#include "banquet/online/redis/hash_layout.h"

namespace banquet::redis {
namespace {

constexpr size_t kHeadBytesMax = 64;  // "*…\r\n$4\r\nHSET\r\n" and the key's header.

std::string Framed(std::string_view word) {
  std::string framed(word.size() + kWordOverheadMax, '\0');
  framed.resize(static_cast<size_t>(PutWord(framed.data(), word) - framed.data()));
  return framed;
}

std::string Head(size_t words, std::string_view command) {
  std::string head(kWordOverheadMax, '\0');
  head.resize(static_cast<size_t>(PutHeader(head.data(), '*', words) - head.data()));
  return head + Framed(command);
}

char* PutBytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

constexpr size_t kFieldFrameBytes = 4 + 4 + 2;
constexpr size_t kBlockBytes = 16;  // Short values are copied so many bytes at a time.

// The word of one value. `out` has room for a block more.
inline char* PutValue(char* out, const BytesColumn& values, uint32_t row) {
  const uint64_t* const offset = values.offsets.data() + row;
  const size_t begin = offset[0];
  const size_t size = offset[1] - begin;
  const char* bytes = values.data.data() + begin;
  if (size > kBlockBytes || begin + kBlockBytes > values.data.size()) {
    return PutWord(out, {bytes, size});
  }
  out = PutHeader(out, '$', size);
  std::memcpy(out, bytes, kBlockBytes);
  out += size;
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

constexpr std::string_view kHset = "$4\r\nHSET\r\n";
constexpr std::string_view kTtl = "*2\r\n$3\r\nTTL\r\n";
constexpr std::string_view kExpire = "*3\r\n$6\r\nEXPIRE\r\n";

}  // namespace

Result<RowFrames> RowFrames::Make(std::span<const ViewColumns> views, int64_t key_ttl_seconds) {
  if (views.empty()) return Bug("A Redis writer was asked for without views");
  RowFrames frames;
  frames.project_ = views[0].project;
  for (const ViewColumns& view : views) {
    if (view.project != frames.project_) {
      return Bug("A task group has views of two projects: {}, {}", frames.project_, view.project);
    }
    if (view.overwrite != Overwrite::kAlways) {
      frames.guarded_.push_back(frames.views_.size());
      frames.check_tail_ += Framed(TimeField(view.view));
    }
    ViewFrame& frame = frames.views_.emplace_back();
    frame.overwrite = view.overwrite;
    frame.time_field = Framed(TimeField(view.view));
    for (const Field& feature : view.features) {
      const std::string framed = Framed(FeatureField(view.view, feature.name));
      std::memcpy(frame.fields.emplace_back().bytes, framed.data(), kFieldFrameBytes);
    }
    frames.fields_of_all_ += view.features.size() + 1;
  }
  frames.check_head_ = Head(2 + frames.guarded_.size(), "HMGET");
  if (key_ttl_seconds > 0) frames.ttl_ = Framed(std::to_string(key_ttl_seconds));
  return frames;
}

std::string RowFrames::RedisKeyOf(std::string_view entity_key) const {
  return RedisKey(entity_key, project_);
}

char* PutKeyWord(char* out, std::string_view entity_key, std::string_view project) {
  out = PutHeader(out, '$', entity_key.size() + project.size());
  out = PutBytes(PutBytes(out, entity_key), project);
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

void RowFrames::PutCheck(std::string_view entity_key, CommandBuffer* out) const {
  char* at = out->Reserve(check_head_.size() + entity_key.size() + project_.size() +
                          kWordOverheadMax + check_tail_.size());
  at = PutBytes(at, check_head_);
  at = PutKey(at, entity_key);
  out->Commit(PutBytes(at, check_tail_));
}

size_t RowFrames::BytesOf(const EncodedBatch& batch, uint32_t row, const ViewFrame& frame,
                          size_t view) {
  size_t bytes = frame.time_field.size() + kWordOverheadMax + kTimestampBytesMax + kBlockBytes;
  for (size_t i = 0; i < frame.fields.size(); ++i) {
    const uint64_t* const offset = batch.views[view][i].values.offsets.data() + row;
    bytes += kFieldFrameBytes + kWordOverheadMax + static_cast<size_t>(offset[1] - offset[0]);
  }
  return bytes;
}

char* RowFrames::PutView(char* out, const EncodedBatch& batch, uint32_t row, const ViewFrame& frame,
                         size_t view) {
  out = PutBytes(out, frame.time_field);
  char time[kTimestampBytesMax];
  const char* time_end = PutTimestamp(time, batch.event_us[row]);
  out = PutWord(out, {time, static_cast<size_t>(time_end - time)});
  for (size_t i = 0; i < frame.fields.size(); ++i) {
    std::memcpy(out, frame.fields[i].bytes, sizeof frame.fields[i].bytes);
    out = PutValue(out + kFieldFrameBytes, batch.views[view][i].values, row);
  }
  return out;
}

void RowFrames::PutWrite(const EncodedBatch& batch, uint32_t row, size_t view,
                         CommandBuffer* out) const {
  const ViewFrame& frame = views_[view];
  const std::string_view entity_key = batch.keys[row];
  char* at = out->Reserve(kHeadBytesMax + entity_key.size() + project_.size() +
                          BytesOf(batch, row, frame, view));
  at = PutBytes(PutHeader(at, '*', 2 + 2 * (frame.fields.size() + 1)), kHset);
  at = PutKey(at, entity_key);
  out->Commit(PutView(at, batch, row, frame, view));
}

void RowFrames::PutWriteOfAll(const EncodedBatch& batch, uint32_t row, CommandBuffer* out) const {
  const std::string_view entity_key = batch.keys[row];
  size_t bytes = kHeadBytesMax + entity_key.size() + project_.size();
  for (size_t view = 0; view < views_.size(); ++view) {
    bytes += BytesOf(batch, row, views_[view], view);
  }
  char* at = PutBytes(PutHeader(out->Reserve(bytes), '*', 2 + 2 * fields_of_all_), kHset);
  at = PutKey(at, entity_key);
  for (size_t view = 0; view < views_.size(); ++view) {
    at = PutView(at, batch, row, views_[view], view);
  }
  out->Commit(at);
}

void RowFrames::PutTtl(std::string_view entity_key, CommandBuffer* out) const {
  char* at = out->Reserve(kTtl.size() + entity_key.size() + project_.size() + kWordOverheadMax);
  out->Commit(PutKey(PutBytes(at, kTtl), entity_key));
}

void RowFrames::PutExpire(std::string_view entity_key, CommandBuffer* out) const {
  char* at = out->Reserve(kExpire.size() + entity_key.size() + project_.size() + kWordOverheadMax +
                          ttl_.size());
  at = PutKey(PutBytes(at, kExpire), entity_key);
  out->Commit(PutBytes(at, ttl_));
}

void RowFrames::PutWatchHead(size_t keys, CommandBuffer* out) const {
  out->Append(Head(1 + keys, "WATCH"));
}

void RowFrames::PutWatchKey(std::string_view entity_key, CommandBuffer* out) const {
  out->Commit(
      PutKey(out->Reserve(entity_key.size() + project_.size() + kWordOverheadMax), entity_key));
}

}  // namespace banquet::redis
