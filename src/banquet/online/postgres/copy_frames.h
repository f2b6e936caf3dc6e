#pragma once
// Rows of a batch as COPY … (FORMAT binary) takes them: one row per entity and feature.

#include <cstdint>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"

namespace banquet::postgres {

// Which columns a COPY has, in this order: [row_number,] entity_key, feature_name, value,
// value_text, [value_num,] event_ts, created_ts.
struct CopyColumns {
  bool row_number = false;  // int4: the stage's (staging_table.h).
  bool value_num = false;
};

// "entity_key, feature_name, …", those of a view's table.
std::string ColumnsText(const CopyColumns& columns);

// Frames for one view. Features come in the order of their names, so that everybody who writes an
// entity locks its rows in one order.
class CopyFrames {
 public:
  CopyFrames(const ViewColumns& view, CopyColumns columns);

  void Begin(std::string* out) const;
  // A row that is out of Postgres' range of times is a data error.
  Status Row(const EncodedBatch& batch, size_t view_number, uint32_t row, int32_t row_number,
             std::string* out) const;
  void End(std::string* out) const;

 private:
  struct Feature {
    size_t place = 0;  // Among the view's features.
    std::string name;  // Framed.
  };
  const CopyColumns columns_;
  std::vector<Feature> features_;
};

}  // namespace banquet::postgres
