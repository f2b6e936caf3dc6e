#include "banquet/online/contract/batch_builder.h"

#include <utility>

#include "gtest/gtest.h"

namespace banquet {

ViewColumns MakeTestView(std::string name, std::vector<std::string> features, Overwrite overwrite) {
  ViewColumns view;
  view.project = "demo";
  view.view = std::move(name);
  view.join_keys.push_back({.name = "id", .type = ValueType::kInt64});
  for (std::string& feature : features) {
    view.features.push_back({.name = std::move(feature), .type = ValueType::kString});
  }
  view.overwrite = overwrite;
  return view;
}

BatchBuilder::BatchBuilder(std::span<const ViewColumns> views)
    : batch_(std::make_shared<EncodedBatch>()) {
  for (const ViewColumns& view : views) batch_->views.emplace_back(view.features.size());
}

BatchBuilder& BatchBuilder::Row(std::string_view key, int64_t event_us,
                                const std::vector<std::string>& values) {
  batch_->keys.data += key;
  batch_->keys.Close();
  batch_->event_us.push_back(event_us);
  batch_->created_us.push_back(0);
  batch_->created_valid.push_back(0);
  AppendValues(values);
  ++batch_->rows;
  return *this;
}

BatchBuilder& BatchBuilder::Row(std::string_view key, int64_t event_us,
                                std::optional<int64_t> created_us,
                                const std::vector<std::string>& values) {
  Row(key, event_us, values);
  has_created_ = true;
  batch_->created_us.back() = created_us.value_or(0);
  batch_->created_valid.back() = created_us.has_value();
  return *this;
}

std::shared_ptr<const EncodedBatch> BatchBuilder::Build() {
  if (!has_created_) {
    batch_->created_us.clear();
    batch_->created_valid.clear();
  }
  return std::move(batch_);
}

void BatchBuilder::AppendValues(const std::vector<std::string>& values) {
  size_t next = 0;
  for (std::vector<EncodedFeature>& view : batch_->views) {
    for (EncodedFeature& feature : view) {
      ASSERT_LT(next, values.size()) << "a value for every feature of every view";
      const std::string& value = values[next++];
      feature.values.data += value;
      feature.values.Close();
      if (!value.empty()) feature.text.data += "text of " + value;
      feature.text.Close();
      feature.text_valid.push_back(!value.empty());
      feature.num.push_back(static_cast<double>(value.size()));
      feature.num_valid.push_back(!value.empty());
    }
  }
  ASSERT_EQ(next, values.size()) << "no more values than features";
}

}  // namespace banquet
