#include "banquet/exec/filter_transform.h"

#include "banquet/base/testing.h"
#include "banquet/exec/batch_for_test.h"

namespace banquet {
namespace {

FilterNode Node(bool fail_on_null_key = false) {
  return {
      .input = 0, .window = {100, 200}, .key_columns = {"k"}, .fail_on_null_key = fail_on_null_key};
}

TEST(FilterTransformTest, BothEndsOfTheWindowAreInside) {
  RowFates fates;
  ASSERT_OK_AND_ASSIGN(auto filter, MakeFilterTransform(Node(), *TestSchema(), &fates));
  Batch batch{.rows = MakeTestBatch({{1, 0, 99}, {1, 1, 100}, {1, 2, 200}, {1, 3, 201}}),
              .first_row = 0,
              .selection = {}};
  ASSERT_OK_AND_ASSIGN(batch, filter->Apply(batch));
  EXPECT_THAT(*batch.selection, ::testing::ElementsAre(1, 2));
  EXPECT_EQ(fates.outside_window, 2);
}

TEST(FilterTransformTest, ANanosecondPastTheEndIsOutside) {
  RowFates fates;
  ASSERT_OK_AND_ASSIGN(auto filter, MakeFilterTransform(Node(), *TestSchema(), &fates));
  Batch batch{.rows = MakeTestBatch({{1, 0, 200, {}, 0}, {1, 1, 200, {}, 1}, {1, 2, 99, {}, 999}}),
              .first_row = 0,
              .selection = {}};
  ASSERT_OK_AND_ASSIGN(batch, filter->Apply(batch));
  EXPECT_THAT(*batch.selection, ::testing::ElementsAre(0));
}

TEST(FilterTransformTest, CountsEachRowOnceNullTimeBeforeWindowBeforeNullKey) {
  RowFates fates;
  ASSERT_OK_AND_ASSIGN(auto filter, MakeFilterTransform(Node(), *TestSchema(), &fates));
  Batch batch{.rows = MakeTestBatch({{{}, 0, {}}, {{}, 1, 50}, {{}, 2, 150}, {7, 3, 150}}),
              .first_row = 0,
              .selection = {}};
  ASSERT_OK_AND_ASSIGN(batch, filter->Apply(batch));
  EXPECT_THAT(*batch.selection, ::testing::ElementsAre(3));
  EXPECT_EQ(fates.null_time, 1);
  EXPECT_EQ(fates.outside_window, 1);
  EXPECT_EQ(fates.null_key, 1);
}

TEST(FilterTransformTest, ANullKeyFailsWhereTheUserSaysSo) {
  RowFates fates;
  ASSERT_OK_AND_ASSIGN(auto filter, MakeFilterTransform(Node(true), *TestSchema(), &fates));
  EXPECT_FAULT(
      Fault::kData, "join key is null",
      filter->Apply({.rows = MakeTestBatch({{{}, 0, 150}}), .first_row = 0, .selection = {}}));
}

TEST(FilterTransformTest, AnUnknownKeyColumnIsOurBug) {
  RowFates fates;
  FilterNode node = Node();
  node.key_columns = {"absent"};
  EXPECT_FAULT(Fault::kBug, "absent", MakeFilterTransform(node, *TestSchema(), &fates));
}

}  // namespace
}  // namespace banquet
