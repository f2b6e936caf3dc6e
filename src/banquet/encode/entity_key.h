#pragma once
// Entity keys as Feast serializes them (feast-compat section 5).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/field.h"

namespace banquet {

// Serializes the keys of batches of one schema. Const after Make: safe to share between threads.
class EntityKeyEncoder {
 public:
  virtual ~EntityKeyEncoder() = default;
  // `join_keys` in stored order; empty, or only __dummy_id, is the entityless key and reads no
  // column. Columns are found in `schema` by join-key name. The key's type is the field's, not the
  // file's: an int32 column or the text "5" under an INT64 key gives int64. Types other than
  // STRING, BYTES, INT32, INT64, UNIX_TIMESTAMP are user errors, so is a version other than 2 and
  // 3, and a missing column; a column type that cannot become the key's is a data error. Whole
  // floats and decimals are integers (a fraction is a data error, where Feast cuts it off); text is
  // what Python's int() takes, without underscores; timestamps are floored to seconds; STRING is
  // Python's str() of the value.
  static Result<std::unique_ptr<EntityKeyEncoder>> Make(std::span<const Field> join_keys,
                                                        int version, const arrow::Schema& schema);

  // Appends one key for each row named in `rows` (AppendAll: for every row). A null in a key column
  // is a bug: the caller filters them. A value that does not convert ("abc" under INT64) is a data
  // error naming column and value.
  virtual Status Append(const arrow::RecordBatch& batch, std::span<const uint32_t> rows,
                        BytesColumn* out) const = 0;
  virtual Status AppendAll(const arrow::RecordBatch& batch, BytesColumn* out) const = 0;

  // Whether what follows the common prefix is one whole number in every key (or nothing, of an
  // entityless key); then AppendNumbers gives that number for each row named (nullopt: for every
  // row), 0 for nothing. Keys are equal where their numbers are.
  virtual bool has_numbers() const = 0;
  virtual Status AppendNumbers(const arrow::RecordBatch& batch,
                               std::optional<std::span<const uint32_t>> rows,
                               std::vector<uint64_t>* out) const = 0;

  // Bytes at the start that all keys have in common (count, names, and of the first value its type,
  // and its length if that is fixed); for comparing and storing keys briefly. The whole of an
  // entityless key.
  virtual size_t common_prefix_size() const = 0;
};

// A key given as text, as on a command line: one value per join key, in the order of `join_keys`. A
// UNIX_TIMESTAMP is seconds or an ISO 8601 instant, floored to seconds. What does not parse is a
// user error.
Result<std::string> SerializeEntityKey(std::span<const Field> join_keys, int version,
                                       std::span<const std::string> values);

}  // namespace banquet
