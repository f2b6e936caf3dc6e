#include "banquet/online/postgres/copy_frames.h"

#include <algorithm>
#include <string_view>

#include "banquet/client/postgres/wire.h"

namespace banquet::postgres {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr int64_t kFirstUs = -210'866'803'200'000'000;  // 4714-11-24 BC, as Postgres has it.
constexpr int32_t kNull = -1;

void PutBytes(std::string_view bytes, std::string* out) {
  PutNumber(static_cast<int32_t>(bytes.size()), out);
  out->append(bytes);
}

template <typename T>
void PutField(T value, std::string* out) {
  PutNumber(static_cast<int32_t>(sizeof value), out);
  PutNumber(value, out);
}

Status CheckTime(int64_t us, const char* column) {
  if (us >= kFirstUs) return Status::OK();
  return DataError("Postgres cannot keep a time before 4714-11-24 BC, in {}: {} us since 1970",
                   column, us);
}

// Text of Postgres cannot hold NUL: no text is written then, where Feast fails.
void PutText(const EncodedFeature& feature, uint32_t row, std::string* out) {
  const bool has_text = !feature.text_valid.empty() && feature.text_valid[row] != 0;
  if (!has_text || feature.text[row].find('\0') != std::string_view::npos) {
    PutNumber(kNull, out);
  } else {
    PutBytes(feature.text[row], out);
  }
}

void PutNum(const EncodedFeature& feature, uint32_t row, std::string* out) {
  const bool has_num = !feature.num_valid.empty() && feature.num_valid[row] != 0;
  if (has_num) {
    PutField(feature.num[row], out);
  } else {
    PutNumber(kNull, out);
  }
}

}  // namespace

std::string ColumnsText(const CopyColumns& columns) {
  std::string text = columns.row_number ? "row_number, " : "";
  text += "entity_key, feature_name, value, value_text, ";
  if (columns.value_num) text += "value_num, ";
  return text + "event_ts, created_ts";
}

CopyFrames::CopyFrames(const ViewColumns& view, CopyColumns columns) : columns_(columns) {
  for (size_t i = 0; i < view.features.size(); ++i) {
    std::string framed;
    PutBytes(view.features[i].name, &framed);
    features_.push_back({.place = i, .name = std::move(framed)});
  }
  std::ranges::sort(features_, {}, [&](const Feature& feature) {
    return std::string_view(view.features[feature.place].name);
  });
}

void CopyFrames::Begin(std::string* out) const {
  out->append(kSignature);
  PutNumber(int32_t{0}, out);  // Flags.
  PutNumber(int32_t{0}, out);  // Length of the header's extension.
}

Status CopyFrames::Row(const EncodedBatch& batch, size_t view_number, uint32_t row,
                       int32_t row_number, std::string* out) const {
  BANQUET_RETURN_NOT_OK(CheckTime(batch.event_us[row], "event_ts"));
  const bool has_created = !batch.created_us.empty() && batch.created_valid[row] != 0;
  if (has_created) BANQUET_RETURN_NOT_OK(CheckTime(batch.created_us[row], "created_ts"));
  const auto count =
      static_cast<int16_t>(6 + (columns_.row_number ? 1 : 0) + (columns_.value_num ? 1 : 0));
  for (const Feature& feature : features_) {
    const EncodedFeature& encoded = batch.views[view_number][feature.place];
    PutNumber(count, out);
    if (columns_.row_number) PutField(row_number, out);
    PutBytes(batch.keys[row], out);
    out->append(feature.name);
    PutBytes(encoded.values[row], out);
    PutText(encoded, row, out);
    if (columns_.value_num) PutNum(encoded, row, out);
    PutField(batch.event_us[row] - kEpochUs, out);
    if (has_created) {
      PutField(batch.created_us[row] - kEpochUs, out);
    } else {
      PutNumber(kNull, out);
    }
  }
  return Status::OK();
}

void CopyFrames::End(std::string* out) const { PutNumber(int16_t{-1}, out); }

}  // namespace banquet::postgres
