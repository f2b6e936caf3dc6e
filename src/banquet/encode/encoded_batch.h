#pragma once
// A batch as bytes: what online stores frame and send.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banquet {

// Byte strings one after another. `offsets` has one more element than there are strings.
struct BytesColumn {
  std::string data;
  std::vector<uint64_t> offsets = {0};

  size_t size() const { return offsets.size() - 1; }
  std::string_view operator[](size_t i) const {
    return std::string_view(data).substr(offsets[i], offsets[i + 1] - offsets[i]);
  }
  // Ends the string that was appended to `data`.
  void Close() { offsets.push_back(data.size()); }
  void Clear() {
    data.clear();
    offsets.assign(1, 0);
  }
};

// One feature of every row.
struct EncodedFeature {
  BytesColumn values;  // feast.types.Value serialized; a null is zero bytes (feast-compat section
                       // 0, fact 4).
  // value_text: only if asked for. text_valid[i] == 0: NULL.
  BytesColumn text;
  std::vector<uint8_t> text_valid;
  // value_num: only if asked for. num_valid[i] == 0: NULL.
  std::vector<double> num;
  std::vector<uint8_t> num_valid;
};

// Immutable once made; shared by the lanes of every store.
struct EncodedBatch {
  size_t rows = 0;
  BytesColumn keys;                    // Serialized entity keys (feast-compat section 5).
  std::vector<int64_t> event_us;       // Floored to microseconds.
  std::vector<int64_t> created_us;     // Empty when the source has no created time.
  std::vector<uint8_t> created_valid;  // Beside created_us.
  std::vector<std::vector<EncodedFeature>> views;  // [view of the group][feature in stored order]
};

}  // namespace banquet
