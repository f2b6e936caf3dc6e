#include "banquet/engine/estimate_store.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

// Sells its writes: a unit for each byte of a value, 5 a second.
class Seller final : public OnlineStore {
 public:
  bool sells = true;
  Status failure;

  WriteNeeds needs() const override {
    return {.lanes = 3, .order = WriteOrder::kByKey, .time_unit_us = 1};
  }
  Status Check(std::span<const ViewColumns>) override { return Status::OK(); }
  Status Prepare(std::span<const ViewColumns>) override {
    return Bug("an estimate prepares nothing");
  }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns>, int) override {
    return Bug("an estimate writes nothing");
  }
  Result<StoredRows> Read(const ViewColumns&, std::span<const std::string>) override {
    return Bug("an estimate reads nothing");
  }
  Result<std::optional<WritePrice>> PriceOf(const ViewColumns&) override {
    BANQUET_RETURN_NOT_OK(failure);
    if (!sells) return std::nullopt;
    return WritePrice{.units_per_second = 5,
                      .units_of = [](const EncodedBatch& batch, size_t view, uint32_t row) {
                        return static_cast<double>(batch.views[view][0].values[row].size());
                      }};
  }
  Status Remove(const ViewColumns&) override { return Bug("an estimate removes nothing"); }
  std::string_view type() const override { return "seller"; }
  std::string Describe() const override { return "seller"; }
};

ViewColumns View(const std::string& name) {
  return {.project = "p",
          .view = name,
          .join_keys = {},
          .features = {{.name = "f", .type = ValueType::kString, .tags = {}, .description = {}}}};
}

// Rows of one letter's key and value, for each of the views.
std::shared_ptr<const EncodedBatch> BatchOf(std::string_view letters, size_t views) {
  auto batch = std::make_shared<EncodedBatch>();
  batch->rows = letters.size();
  batch->views.resize(views, std::vector<EncodedFeature>(1));
  for (const char letter : letters) {
    batch->keys.data += letter;
    batch->keys.Close();
    batch->event_us.push_back(0);
    for (auto& view : batch->views) {
      view[0].values.data += "xx";
      view[0].values.Close();
    }
  }
  return batch;
}

TEST(EstimateStoreTest, CountsEachViewsRowsAndWhatTheyCost) {
  Seller seller;
  EstimateStore estimate(&seller);
  EXPECT_EQ(estimate.needs().lanes, 3);
  const std::vector<ViewColumns> views = {View("a"), View("b")};
  ASSERT_OK(estimate.Prepare(views));
  ASSERT_OK_AND_ASSIGN(const auto writer, estimate.OpenWriter(views, 0));
  const std::vector<uint32_t> some = {0, 2};
  ASSERT_OK(writer->Write(BatchOf("xyz", 2), RowSelection::Of(some)));
  EXPECT_EQ(estimate.estimates().at("a").rows, 0) << "counted by the flush";
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.unchanged, 2);
  EXPECT_EQ(outcomes.views, (std::vector<ViewOutcomes>{{.unchanged = 2}, {.unchanged = 2}}));
  ASSERT_OK(writer->Write(BatchOf("k", 2), RowSelection::All()));
  ASSERT_OK(writer->Flush());
  for (const char* name : {"a", "b"}) {
    const WriteEstimate found = estimate.estimates().at(name);
    EXPECT_EQ(found.rows, 3);
    EXPECT_EQ(found.bytes, 9);
    EXPECT_EQ(found.units, 6);
    EXPECT_DOUBLE_EQ(found.seconds(), 1.2);
  }
  ASSERT_OK(estimate.Prepare(std::span(views).first(1)));  // Another attempt begins from zero.
  EXPECT_EQ(estimate.estimates().at("a").rows, 0);
  EXPECT_EQ(estimate.estimates().at("b").rows, 3);
}

TEST(EstimateStoreTest, AStoreThatSellsNothingHasNoUnits) {
  Seller seller;
  seller.sells = false;
  EstimateStore estimate(&seller);
  const std::vector<ViewColumns> views = {View("a")};
  ASSERT_OK(estimate.Prepare(views));
  ASSERT_OK_AND_ASSIGN(const auto writer, estimate.OpenWriter(views, 0));
  ASSERT_OK(writer->Write(BatchOf("xyz", 1), RowSelection::All()));
  ASSERT_OK(writer->Flush());
  EXPECT_EQ(estimate.estimates().at("a").rows, 3);
  EXPECT_EQ(estimate.estimates().at("a").units, std::nullopt);
  EXPECT_EQ(estimate.estimates().at("a").seconds(), 0);
}

TEST(EstimateStoreTest, NothingElseIsAskedOfIt) {
  Seller seller;
  EstimateStore estimate(&seller);
  const std::vector<ViewColumns> views = {View("a")};
  const std::string key = "k";
  EXPECT_FAULT(Fault::kBug, "asked to read", estimate.Read(views[0], std::span(&key, 1)));
  EXPECT_FAULT(Fault::kBug, "asked to remove", estimate.Remove(views[0]));
  seller.failure = UserError("no right to describe");
  EXPECT_FAULT(Fault::kUser, "no right to describe", estimate.Prepare(views));
}

}  // namespace
}  // namespace banquet
