// The part of the suite that says which row stays where several come for an entity.

#include "banquet/online/contract/online_store_contract.h"

namespace banquet {
namespace {

TEST_P(OnlineStoreContract, NeverPutsAnOlderRowOverANewerOne) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  WriteRow(view, Key(1), kNoon, {"new a", "new b"});
  const RowOutcomes outcomes = WriteRow(view, Key(1), kNoon - kSecond, {"old a", "old b"});
  EXPECT_EQ(outcomes.stale, 1);
  EXPECT_EQ(outcomes.written, 0);
  ExpectRow(view, Key(1), kNoon, {"new a", "new b"});
}

TEST_P(OnlineStoreContract, RewritesARowOfEqualTimeUnderNewest) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, Key(1), kNoon, {"wrong"});
  EXPECT_EQ(WriteRow(view, Key(1), kNoon, {"corrected"}).written, 1);
  ExpectRow(view, Key(1), kNoon, {"corrected"});
}

TEST_P(OnlineStoreContract, ANewerRowWins) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, Key(1), kNoon, {"old"});
  EXPECT_EQ(WriteRow(view, Key(1), kNoon + kSecond, {"new"}).written, 1);
  ExpectRow(view, Key(1), kNoon + kSecond, {"new"});
}

TEST_P(OnlineStoreContract, ComparesTimesAtItsPrecision) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, Key(1), kNoon + 500'000, {"first"});
  const RowOutcomes outcomes = WriteRow(view, Key(1), kNoon + 499'999, {"second"});
  if (GetParam().keeps_seconds) {
    EXPECT_EQ(outcomes.written, 1);
    ExpectRow(view, Key(1), kNoon, {"second"});
  } else {
    EXPECT_EQ(outcomes.stale, 1);
    ExpectRow(view, Key(1), kNoon + 500'000, {"first"});
  }
}

TEST_P(OnlineStoreContract, AlwaysPutsOlderRowsOverNewerOnesWhenTold) {
  const ViewColumns view = MakeTestView("stats", {"a"}, Overwrite::kAlways);
  WriteRow(view, Key(1), kNoon, {"new"});
  EXPECT_EQ(WriteRow(view, Key(1), kNoon - kSecond, {"old"}).written, 1);
  ExpectRow(view, Key(1), kNoon - kSecond, {"old"});
}

TEST_P(OnlineStoreContract, OverwritesAsFeastDoesInThisStore) {
  const ViewColumns view = MakeTestView("stats", {"a"}, Overwrite::kFeast);
  WriteRow(view, Key(1), kNoon, {"first"});
  EXPECT_EQ(WriteRow(view, Key(1), kNoon + kSecond, {"newer"}).written, 1);
  ExpectRow(view, Key(1), kNoon + kSecond, {"newer"});

  const RowOutcomes equal = WriteRow(view, Key(1), kNoon + kSecond, {"equal"});
  EXPECT_EQ(equal.unchanged, GetParam().feast_skips_equal ? 1 : 0);
  EXPECT_EQ(equal.written, GetParam().feast_skips_equal ? 0 : 1);
  ExpectRow(view, Key(1), kNoon + kSecond, {GetParam().feast_skips_equal ? "newer" : "equal"});

  const RowOutcomes older = WriteRow(view, Key(1), kNoon, {"older"});
  EXPECT_EQ(older.stale, GetParam().feast_skips_older ? 1 : 0);
  EXPECT_EQ(older.written, GetParam().feast_skips_older ? 0 : 1);
  if (!GetParam().feast_skips_older) ExpectRow(view, Key(1), kNoon, {"older"});
}

TEST_P(OnlineStoreContract, ARefusedRowIsNeverTorn) {
  const ViewColumns view = MakeTestView("stats", {"a", "b", "c"});
  WriteRow(view, Key(2), kNoon, {"1", "2", "3"});
  const auto batch = BatchBuilder(view)
                         .Row(Key(1), kNoon - kSecond, {"x", "y", "z"})
                         .Row(Key(2), kNoon - kSecond, {"x", "y", "z"})
                         .Row(Key(3), kNoon - kSecond, {"x", "y", "z"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch));
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_EQ(outcomes.stale, 1);
  ExpectRow(view, Key(1), kNoon - kSecond, {"x", "y", "z"});
  ExpectRow(view, Key(2), kNoon, {"1", "2", "3"});
  ExpectRow(view, Key(3), kNoon - kSecond, {"x", "y", "z"});
}

TEST_P(OnlineStoreContract, AFeatureAddedToTheViewDoesNotLiftTheGuard) {
  const ViewColumns narrow = MakeTestView("stats", {"a"});
  const ViewColumns wide = MakeTestView("stats", {"a", "b"});
  WriteRow(narrow, Key(1), kNoon, {"1"});
  EXPECT_EQ(WriteRow(wide, Key(1), kNoon - kSecond, {"old", "old"}).stale, 1);
  ExpectRow(narrow, Key(1), kNoon, {"1"});
  EXPECT_EQ(WriteRow(wide, Key(1), kNoon, {"2", "3"}).written, 1);
  ExpectRow(wide, Key(1), kNoon, {"2", "3"});
}

TEST_P(OnlineStoreContract, GuardsEachViewOfAGroupByItself) {
  const std::vector<ViewColumns> views = {MakeTestView("first", {"a"}),
                                          MakeTestView("second", {"b"})};
  WriteRow(views[0], Key(1), kNoon, {"newer"});
  WriteRow(views[0], Key(2), kNoon, {"newer"});
  WriteRow(views[1], Key(2), kNoon, {"newer"});
  const auto batch = BatchBuilder(views)
                         .Row(Key(1), kNoon - kSecond, {"old", "fresh"})
                         .Row(Key(2), kNoon - kSecond, {"old", "old"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(views, batch));
  EXPECT_EQ(outcomes.written, 1) << "a row counts as written when any view took it";
  EXPECT_EQ(outcomes.stale, 1);
  EXPECT_EQ(outcomes.views, (std::vector<ViewOutcomes>{{.stale = 2}, {.written = 1, .stale = 1}}));
  ExpectRow(views[0], Key(1), kNoon, {"newer"});
  ExpectRow(views[1], Key(1), kNoon - kSecond, {"fresh"});
  ExpectRow(views[1], Key(2), kNoon, {"newer"});
}

TEST_P(OnlineStoreContract, EachViewOfAGroupHasItsOwnOverwriteRule) {
  const std::vector<ViewColumns> views = {MakeTestView("guarded", {"a"}),
                                          MakeTestView("open", {"b"}, Overwrite::kAlways)};
  WriteRow(views[0], Key(1), kNoon, {"newer"});
  WriteRow(views[1], Key(1), kNoon, {"newer"});
  const auto batch = BatchBuilder(views).Row(Key(1), kNoon - kSecond, {"old", "old"}).Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(views, batch));
  EXPECT_EQ(outcomes.written, 1);
  ExpectRow(views[0], Key(1), kNoon, {"newer"});
  ExpectRow(views[1], Key(1), kNoon - kSecond, {"old"});
}

TEST_P(OnlineStoreContract, TimesAtAndBefore1970GuardToo) {
  if (!GetParam().guards_times_before_1970) return;  // A declared deviation.
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, Key(1), 0, {"zero"});
  EXPECT_EQ(WriteRow(view, Key(1), -2 * kSecond, {"before"}).stale, 1);
  ExpectRow(view, Key(1), 0, {"zero"});
  WriteRow(view, Key(2), -2 * kSecond, {"before"});
  EXPECT_EQ(WriteRow(view, Key(2), -3 * kSecond, {"long before"}).stale, 1);
  EXPECT_EQ(WriteRow(view, Key(2), 0, {"zero"}).written, 1);
  ExpectRow(view, Key(2), 0, {"zero"});
}

TEST_P(OnlineStoreContract, TheNewestOfAKeyTwiceInOneBatchWins) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  const auto batch = BatchBuilder(view)
                         .Row(Key(1), kNoon, {"newest"})
                         .Row(Key(1), kNoon - kSecond, {"older"})
                         .Row(Key(2), kNoon, {"first"})
                         .Row(Key(2), kNoon, {"second"})
                         .Row(Key(3), kNoon, {"older"})
                         .Row(Key(3), kNoon + kSecond, {"newest"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch));
  EXPECT_EQ(Sum(outcomes), 6);
  EXPECT_TRUE(outcomes.undecided.empty());
  ExpectRow(view, Key(1), kNoon, {"newest"});
  ExpectRow(view, Key(2), kNoon, {"second"});
  ExpectRow(view, Key(3), kNoon + kSecond, {"newest"});
}

TEST_P(OnlineStoreContract, TheLastOfAKeyTwiceInOneBatchWinsWhenAlwaysOverwriting) {
  const ViewColumns view = MakeTestView("stats", {"a"}, Overwrite::kAlways);
  const auto batch = BatchBuilder(view)
                         .Row(Key(1), kNoon, {"first"})
                         .Row(Key(1), kNoon - kSecond, {"last"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch));
  EXPECT_EQ(outcomes.written, 2);
  ExpectRow(view, Key(1), kNoon - kSecond, {"last"});
}

}  // namespace
}  // namespace banquet
