#pragma once
// Makes encoded batches by hand, so that a store's test needs neither Arrow nor the encoder.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"

namespace banquet {

// A view with one INT64 join key `id` and these STRING features.
ViewColumns MakeTestView(std::string name, std::vector<std::string> features,
                         Overwrite overwrite = Overwrite::kNewest);

// Rows one after another. Every feature also gets a text ("text of " and the value; NULL for an
// empty value) and a number (the value's size; NULL likewise), as a store that asks for them would
// receive.
class BatchBuilder {
 public:
  // `views` as the batch's group; only their feature counts matter.
  explicit BatchBuilder(std::span<const ViewColumns> views);
  explicit BatchBuilder(const ViewColumns& view) : BatchBuilder(std::span(&view, 1)) {}

  // `values` are those of the first view's features, then of the second's, and so on. An empty one
  // is a null.
  BatchBuilder& Row(std::string_view key, int64_t event_us, const std::vector<std::string>& values);
  // The same with a created time; nullopt is a null. A batch has created times if any row came this
  // way.
  BatchBuilder& Row(std::string_view key, int64_t event_us, std::optional<int64_t> created_us,
                    const std::vector<std::string>& values);
  std::shared_ptr<const EncodedBatch> Build();

 private:
  void AppendValues(const std::vector<std::string>& values);

  std::shared_ptr<EncodedBatch> batch_;
  bool has_created_ = false;
};

}  // namespace banquet
