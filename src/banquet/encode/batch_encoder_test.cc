#include "banquet/encode/batch_encoder.h"

#include <string>
#include <vector>

#include "arrow/array.h"
#include "arrow/json/from_string.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

using arrow::TimeUnit;
using testing::ElementsAre;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

struct ColumnText {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

std::shared_ptr<arrow::DataType> Us() { return arrow::timestamp(TimeUnit::MICRO, "UTC"); }

BatchPtr BatchOf(const std::vector<ColumnText>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const ColumnText& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(arrow::json::ArrayFromJSONString(column.type, column.json).ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
}

Field FieldOf(const std::string& name, ValueType type) {
  return {.name = name, .type = type, .tags = {}, .description = {}};
}

ViewColumns ViewOf(const std::string& name, std::vector<Field> features) {
  ViewColumns view;
  view.project = "p";
  view.view = name;
  view.join_keys = {FieldOf("id", ValueType::kInt64)};
  view.features = std::move(features);
  return view;
}

Result<std::shared_ptr<const EncodedBatch>> Encode(const std::vector<ViewColumns>& views,
                                                   const BatchPtr& batch) {
  BANQUET_ASSIGN_OR_RETURN(const auto encoder, BatchEncoder::Make(views, *batch->schema(), {}));
  return encoder->Encode(*batch);
}

BatchPtr TwoRows() {
  return BatchOf({{"id", arrow::int64(), "[1001, 2]"},
                  {"a", arrow::int64(), "[42, null]"},
                  {"b", arrow::utf8(), R"(["hi", ""])"},
                  {kEventTimeColumn, Us(), "[5, -7]"},
                  {kCreatedTimeColumn, Us(), "[null, 9]"}});
}

TEST(BatchEncoderTest, EncodesKeysTimesAndTheFeaturesOfEveryView) {
  ASSERT_OK_AND_ASSIGN(
      const auto encoded,
      Encode({ViewOf("v", {FieldOf("b", ValueType::kString), FieldOf("a", ValueType::kInt64)}),
              ViewOf("w", {FieldOf("a", ValueType::kString)})},
             TwoRows()));
  EXPECT_EQ(encoded->rows, 2U);
  ASSERT_EQ(encoded->keys.size(), 2U);
  EXPECT_EQ(encoded->keys[0].substr(encoded->keys[0].size() - 8),
            std::string_view("\xe9\x03\0\0\0\0\0\0", 8));
  EXPECT_THAT(encoded->event_us, ElementsAre(5, -7));
  EXPECT_THAT(encoded->created_us, ElementsAre(0, 9));
  EXPECT_THAT(encoded->created_valid, ElementsAre(0, 1));
  ASSERT_EQ(encoded->views.size(), 2U);
  ASSERT_EQ(encoded->views[0].size(), 2U);
  EXPECT_EQ(encoded->views[0][0].values[0], "\x12\x02hi");
  EXPECT_EQ(encoded->views[0][0].values[1], std::string_view("\x12\0", 2));
  EXPECT_EQ(encoded->views[0][1].values[0], "\x20\x2a");
  EXPECT_EQ(encoded->views[0][1].values[1], "");
  EXPECT_EQ(encoded->views[1][0].values[0],
            "\x12\x02"
            "42");
}

TEST(BatchEncoderTest, LeavesCreatedTimesEmptyWhenThereAreNone) {
  const BatchPtr batch = BatchOf({{"id", arrow::int64(), "[1]"}, {kEventTimeColumn, Us(), "[5]"}});
  ASSERT_OK_AND_ASSIGN(const auto encoded, Encode({ViewOf("v", {})}, batch));
  EXPECT_TRUE(encoded->created_us.empty());
  EXPECT_TRUE(encoded->created_valid.empty());
}

TEST(BatchEncoderTest, WritesAJoinKeyThatIsAlsoAFeature) {
  ASSERT_OK_AND_ASSIGN(const auto encoded,
                       Encode({ViewOf("v", {FieldOf("id", ValueType::kInt64)})}, TwoRows()));
  EXPECT_EQ(encoded->views[0][0].values[1], "\x20\x02");
}

TEST(BatchEncoderTest, EncodesSlicesOfABatch) {
  const std::vector<ViewColumns> views = {ViewOf("v", {FieldOf("b", ValueType::kString)})};
  ASSERT_OK_AND_ASSIGN(const auto encoded, Encode(views, TwoRows()->Slice(1)));
  EXPECT_EQ(encoded->rows, 1U);
  EXPECT_EQ(encoded->keys[0].back(), '\0');
  EXPECT_EQ(encoded->keys[0][encoded->keys[0].size() - 8], '\x02');
  EXPECT_THAT(encoded->event_us, ElementsAre(-7));
  EXPECT_THAT(encoded->created_us, ElementsAre(9));
  EXPECT_EQ(encoded->views[0][0].values[0], std::string_view("\x12\0", 2));
}

TEST(BatchEncoderTest, NamesViewColumnValueAndEntityOfWhatDoesNotConvert) {
  const BatchPtr batch = BatchOf({{"id", arrow::int64(), "[1, 7]"},
                                  {"a", arrow::int64(), "[0, 2147483648]"},
                                  {kEventTimeColumn, Us(), "[5, 6]"}});
  EXPECT_FAULT(Fault::kData,
               "view v, column a (int64 to INT32), entity id=7: Value is out of range: 2147483648",
               Encode({ViewOf("v", {FieldOf("a", ValueType::kInt32)})}, batch));
}

TEST(BatchEncoderTest, RefusesColumnsBeforeAnyRowIsRead) {
  const auto make = [](const std::vector<ViewColumns>& views, const BatchPtr& batch) {
    return BatchEncoder::Make(views, *batch->schema(), {});
  };
  EXPECT_FAULT(Fault::kData, "view v, column b: Arrow type string cannot become BYTES",
               make({ViewOf("v", {FieldOf("b", ValueType::kBytes)})}, TwoRows()));
  EXPECT_FAULT(Fault::kData, "missing in the source: view v, column absent",
               make({ViewOf("v", {FieldOf("absent", ValueType::kInt64)})}, TwoRows()));
  const BatchPtr twice = BatchOf({{"id", arrow::int64(), "[]"},
                                  {"a", arrow::int64(), "[]"},
                                  {"a", arrow::int8(), "[]"},
                                  {kEventTimeColumn, Us(), "[]"}});
  EXPECT_FAULT(Fault::kData, "stands twice in the source: view v, column a",
               make({ViewOf("v", {FieldOf("a", ValueType::kInt64)})}, twice));
}

TEST(BatchEncoderTest, TakesMistakesOfItsCallersForBugs) {
  const std::vector<ViewColumns> views = {ViewOf("v", {})};
  EXPECT_FAULT(Fault::kBug, "needs a view", BatchEncoder::Make({}, *TwoRows()->schema(), {}));
  EXPECT_FAULT(Fault::kBug, "lacks its event time",
               Encode(views, BatchOf({{"id", arrow::int64(), "[1]"}})));
  EXPECT_FAULT(
      Fault::kBug, "not in microseconds",
      Encode(views, BatchOf({{"id", arrow::int64(), "[1]"},
                             {kEventTimeColumn, arrow::timestamp(TimeUnit::NANO), "[1]"}})));
  EXPECT_FAULT(
      Fault::kBug, "without event time",
      Encode(views, BatchOf({{"id", arrow::int64(), "[1]"}, {kEventTimeColumn, Us(), "[null]"}})));
  ViewColumns other = ViewOf("w", {});
  other.entity_key_version = 2;
  EXPECT_FAULT(Fault::kBug, "differ in their keys: v, w",
               Encode({ViewOf("v", {}), other}, TwoRows()));
}

}  // namespace
}  // namespace banquet
