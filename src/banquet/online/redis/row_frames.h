#pragma once
// Frames a row's commands: what does not change from row to row is framed once.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"
#include "banquet/online/redis/resp.h"

namespace banquet::redis {

// The Redis key as a word.
char* PutKeyWord(char* out, std::string_view entity_key, std::string_view project);

// The commands for rows of one task group. Const after Make: safe to share between threads.
class RowFrames {
 public:
  // Views of different projects, or none, are a bug. `key_ttl_seconds` 0: keys do not expire.
  static Result<RowFrames> Make(std::span<const ViewColumns> views, int64_t key_ttl_seconds);

  size_t views() const { return views_.size(); }
  // Views whose stored time is asked for before a write: all but overwrite: always.
  const std::vector<size_t>& guarded() const { return guarded_; }
  Overwrite overwrite(size_t view) const { return views_[view].overwrite; }
  bool has_ttl() const { return !ttl_.empty(); }
  std::string RedisKeyOf(std::string_view entity_key) const;

  // HMGET key _ts:{view}… of the guarded views.
  void PutCheck(std::string_view entity_key, CommandBuffer* out) const;
  // HSET with time and features of one view, or of all.
  void PutWrite(const EncodedBatch& batch, uint32_t row, size_t view, CommandBuffer* out) const;
  void PutWriteOfAll(const EncodedBatch& batch, uint32_t row, CommandBuffer* out) const;
  // TTL key
  void PutTtl(std::string_view entity_key, CommandBuffer* out) const;
  // EXPIRE key seconds
  void PutExpire(std::string_view entity_key, CommandBuffer* out) const;
  // WATCH key…, of so many keys: the head, then each key.
  void PutWatchHead(size_t keys, CommandBuffer* out) const;
  void PutWatchKey(std::string_view entity_key, CommandBuffer* out) const;

 private:
  // "$4\r\n", the field's four bytes, "\r\n".
  struct FieldFrame {
    char bytes[16] = {};
  };
  struct ViewFrame {
    Overwrite overwrite = Overwrite::kNewest;
    std::string time_field;  // Framed.
    std::vector<FieldFrame> fields;
  };
  char* PutKey(char* out, std::string_view entity_key) const {
    return PutKeyWord(out, entity_key, project_);
  }
  static size_t BytesOf(const EncodedBatch& batch, uint32_t row, const ViewFrame& frame,
                        size_t view);
  static char* PutView(char* out, const EncodedBatch& batch, uint32_t row, const ViewFrame& frame,
                       size_t view);

  std::string project_;
  std::vector<ViewFrame> views_;
  std::vector<size_t> guarded_;
  std::string check_head_;  // "*3\r\n$5\r\nHMGET\r\n"
  std::string check_tail_;  // The time fields, framed.
  std::string ttl_;         // The seconds, framed; empty: none.
  size_t fields_of_all_ = 0;
};

}  // namespace banquet::redis
