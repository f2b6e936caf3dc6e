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

// The RESTORE commands for rows of one task group. Used by one thread.
class RestoreFrames {
 public:
  // `views` as RowFrames takes them. nullopt: HSET would never leave a listpack of one element per
  // field (too many fields, a name too long, two features of one field).
  static std::optional<RestoreFrames> Make(std::span<const ViewColumns> views,
                                           int64_t key_ttl_seconds, ListpackLimits limits);

  // Rows are of this batch from here on. Borrowed.
  void Use(const EncodedBatch& batch);
  // RESTORE key ttl payload, with the fields of all views in the order in which HSET writes them.
  // False: a value is too long for a listpack, and nothing is put.
  bool Put(uint32_t row, CommandBuffer* out);

 private:
  // A feature: the element of its field, and where its values are.
  struct Column {
    char field[8] = {};
    size_t field_bytes = 0;
    const uint64_t* offsets = nullptr;
    const char* data = nullptr;
    size_t blocks_end = 0;  // A value that begins before may be copied as a block.
  };
  struct ViewFrame {
    std::string time_field;  // As an element.
    size_t columns_end = 0;
  };
  // What comes before the payload of a listpack of so many bytes.
  size_t HeadBytes(size_t entity_key_bytes, size_t listpack_bytes) const;
  void PutHead(char* out, std::string_view entity_key) const;
  // nullptr: a value is too long.
  char* PutListpack(char* out, uint32_t row) const;
  char* PutValue(char* out, const Column& column, uint32_t row) const;

  std::string project_;
  std::vector<ViewFrame> views_;
  std::vector<Column> columns_;  // Of all views.
  std::string ttl_;              // In milliseconds, framed.
  size_t word_bytes_max_ = 0;
  size_t row_bytes_max_ = 0;    // Of a command, beside the key.
  size_t listpack_bytes_ = 64;  // Of the last row; the next one likely announces as many digits.
  const EncodedBatch* batch_ = nullptr;
};

}  // namespace banquet::redis
