#include "banquet/online/dynamodb/item.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "banquet/base/base64.h"
#include "banquet/base/hex_text.h"
#include "banquet/base/time_text.h"
#include "banquet/encode/murmur_hash.h"

namespace banquet::dynamodb {
namespace {

constexpr size_t kNameBytesMin = 3;
constexpr size_t kNameBytesMax = 255;
constexpr size_t kUnitBytes = 1024;
// Names of attributes, the id, the time; three bytes for the map and one for each of its entries,
// as the service counts.
constexpr size_t kItemBytes = 9 + 32 + 8 + 32 + 6 + 3;
constexpr size_t kNumberBytes = 7;  // Of ten digits.

// Years 1 to 9999: what the text of a time can hold, and sort by.
constexpr int64_t kFirstUs = -62'135'596'800'000'000;
constexpr int64_t kLastUs = 253'402'300'799'999'999;

std::string Replaced(std::string text, std::string_view word, std::string_view by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

bool IsNameLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

}  // namespace

std::string EntityId(std::string_view key) { return Murmur3x64Hash128Hex(key); }

std::string JsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::string> TableNameOf(const ViewColumns& view, const std::string& name_template) {
  std::string name = Replaced(name_template, "{project}", view.project);
  name = Replaced(name, "{table_name}", view.view);
  const bool fits = name.size() >= kNameBytesMin && name.size() <= kNameBytesMax;
  if (fits && std::ranges::all_of(name, IsNameLetter)) return name;
  return UserError(
      "DynamoDB cannot have a table of this name (3 to 255 letters, digits, _, - and .); rename "
      "the "
      "view or mend online_store.table_name_template: {}",
      JsonText(name));
}

ItemFrames::ItemFrames(const ViewColumns& view, const std::string& ttl_attribute)
    : view_(view.view), ttl_us_(view.ttl_us), fixed_bytes_(kItemBytes) {
  if (!ttl_attribute.empty() && ttl_us_ > 0) {
    expiry_name_ = JsonText(ttl_attribute);
    fixed_bytes_ += ttl_attribute.size() + kNumberBytes;
  }
  for (const Field& feature : view.features) {
    names_.push_back(JsonText(feature.name) + R"(:{"B":")");
    fixed_bytes_ += feature.name.size() + 1;
  }
}

Status ItemFrames::PutItem(const EncodedBatch& batch, size_t view_number, uint32_t row,
                           std::string* out) const {
  *out += R"({"entity_id":{"S":")" + EntityId(batch.keys[row]) + R"("},"event_ts":)";
  *out += EventTime(batch, row);
  *out += R"(,"values":)";
  BANQUET_RETURN_NOT_OK(PutValues(batch, view_number, row, out));
  if (has_expiry()) *out += "," + expiry_name_ + ":" + Expiry(batch, row);
  *out += '}';
  return Status::OK();
}

std::string ItemFrames::EventTime(const EncodedBatch& batch, uint32_t row) const {
  return R"({"S":")" + FormatInstant(batch.event_us[row]) + R"("})";
}

// A second begun counts: nothing goes before its time.
std::string ItemFrames::Expiry(const EncodedBatch& batch, uint32_t row) const {
  constexpr int64_t kSecondUs = 1'000'000;
  const int64_t expires_us = batch.event_us[row] + std::min(ttl_us_, kLastUs);
  const int64_t whole = expires_us / kSecondUs;
  return fmt::format(R"({{"N":"{}"}})", whole + (expires_us % kSecondUs > 0 ? 1 : 0));
}

Status ItemFrames::PutValues(const EncodedBatch& batch, size_t view_number, uint32_t row,
                             std::string* out) const {
  if (batch.event_us[row] < kFirstUs || batch.event_us[row] > kLastUs) {
    return DataError("View {} has an event time beyond the years 1 to 9999: {} us since 1970",
                     view_, batch.event_us[row]);
  }
  const size_t bytes = BytesOf(batch, view_number, row);
  if (bytes > kItemBytesMax) {
    return DataError(
        "DynamoDB takes items of {} bytes at most; view {} has one of {}, entity key {}",
        kItemBytesMax, view_, bytes, HexOf(batch.keys[row]));
  }
  *out += R"({"M":{)";
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) *out += ',';
    *out += names_[i];
    AppendBase64(batch.views[view_number][i].values[row], out);
    *out += "\"}";
  }
  *out += "}}";
  return Status::OK();
}

double ItemFrames::WriteUnits(const EncodedBatch& batch, size_t view_number, uint32_t row) const {
  return static_cast<double>((BytesOf(batch, view_number, row) + kUnitBytes - 1) / kUnitBytes);
}

size_t ItemFrames::BytesOf(const EncodedBatch& batch, size_t view_number, uint32_t row) const {
  size_t bytes = fixed_bytes_;
  for (const EncodedFeature& feature : batch.views[view_number])
    bytes += feature.values[row].size();
  return bytes;
}

}  // namespace banquet::dynamodb
