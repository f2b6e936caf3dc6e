#pragma once
// Items as DynamoDB's JSON has them (docs/formats/dynamodb.md).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"

namespace banquet::dynamodb {

inline constexpr size_t kItemBytesMax = 400 << 10;  // The service's own.

// entity_id of a serialized entity key.
std::string EntityId(std::string_view key);

// A string of JSON, in quotes.
std::string JsonText(std::string_view text);

// A view's table, by Feast's template; names that DynamoDB cannot have are a user error.
Result<std::string> TableNameOf(const ViewColumns& view, const std::string& name_template);

// Frames items of one view.
class ItemFrames {
 public:
  // `ttl_attribute`: the name of a number for DynamoDB's time to live; empty: none. A view without
  // a ttl has none either.
  explicit ItemFrames(const ViewColumns& view, const std::string& ttl_attribute = {});

  // Whether items have the attribute of time to live.
  bool has_expiry() const { return !expiry_name_.empty(); }

  // {"entity_id": …, "event_ts": …, "values": …}, and the expiry if there is one. An item that is
  // larger than DynamoDB takes, or whose time is beyond the years 1 to 9999, is a data error, here
  // and in PutValues.
  Status PutItem(const EncodedBatch& batch, size_t view_number, uint32_t row,
                 std::string* out) const;
  // The same as parameters of a statement, in braces each.
  std::string EventTime(const EncodedBatch& batch, uint32_t row) const;  // {"S": "2021-…"}
  Status PutValues(const EncodedBatch& batch, size_t view_number, uint32_t row,
                   std::string* out) const;                           // {"M": {…}}
  std::string Expiry(const EncodedBatch& batch, uint32_t row) const;  // {"N": "1704067200"}
  // What writing the item costs: a unit for every KiB begun.
  double WriteUnits(const EncodedBatch& batch, size_t view_number, uint32_t row) const;

 private:
  size_t BytesOf(const EncodedBatch& batch, size_t view_number, uint32_t row) const;

  std::string view_;
  std::string expiry_name_;  // As JSON's text; empty: there is none.
  int64_t ttl_us_ = 0;
  std::vector<std::string> names_;  // `"name":{"B":"` per feature.
  size_t fixed_bytes_ = 0;          // Of an item without its values.
};

}  // namespace banquet::dynamodb
