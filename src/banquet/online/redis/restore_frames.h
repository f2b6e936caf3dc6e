#pragma once
// Frames RESTORE: the hash of an entity that the server does not hold yet, ready made.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"
#include "banquet/online/redis/resp.h"

namespace banquet::redis {

// A hash within these bounds is kept as a listpack; another becomes a table, which only HSET makes.
struct ListpackLimits {
  size_t fields_max = 512;     // hash-max-listpack-entries
  size_t word_bytes_max = 64;  // hash-max-listpack-value, of a field and of a value.
};

// The RESTORE commands for rows of one task group. Const after Make: safe to share between threads.
class RestoreFrames {
 public:
  // `views` as RowFrames takes them. nullopt: HSET would never leave a listpack of one element per
  // field (too many fields, a name too long, two features of one field).
  static std::optional<RestoreFrames> Make(std::span<const ViewColumns> views,
                                           int64_t key_ttl_seconds, ListpackLimits limits);

  // RESTORE key ttl payload, with the fields of all views in the order in which HSET writes them.
  // False: a value is too long for a listpack, and nothing is put.
  bool Put(const EncodedBatch& batch, uint32_t row, CommandBuffer* out) const;

 private:
  struct Sizes {
    size_t listpack = 0;
    size_t time = 0;
  };
  struct ViewFrame {
    std::string time_field;                 // As an element, like those below.
    std::vector<std::string> field_frames;  // One per feature.
  };
  bool FitsListpack(const EncodedBatch& batch, uint32_t row, size_t* values_bytes) const;
  char* PutHead(char* out, std::string_view entity_key, size_t listpack_bytes) const;
  char* PutListpack(char* out, const EncodedBatch& batch, uint32_t row,
                    std::string_view time) const;

  std::string project_;
  std::vector<ViewFrame> views_;
  std::string ttl_;  // In milliseconds, framed.
  size_t word_bytes_max_ = 0;
  size_t elements_ = 0;
  size_t fixed_bytes_ = 0;  // Of a listpack: its head, names and end.
};

}  // namespace banquet::redis
