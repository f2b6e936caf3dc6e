#include "banquet/online/contract/online_store_contract.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace banquet {
void PrintTo(const StoreUnderTest& store, std::ostream* out) { *out << store.name; }

void OnlineStoreContract::SetUp() {
  std::string pattern = ::testing::TempDir() + "/banquet-store-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  scratch_ = pattern;
  ASSERT_OK_AND_ASSIGN(store_, GetParam().make(scratch_));
}

void OnlineStoreContract::TearDown() {
  store_.reset();
  if (!scratch_.empty()) std::filesystem::remove_all(scratch_);
}

Result<RowOutcomes> OnlineStoreContract::Write(std::span<const ViewColumns> views,
                                               std::shared_ptr<const EncodedBatch> batch,
                                               RowSelection rows, int lane) {
  BANQUET_RETURN_NOT_OK(store_->Prepare(views));
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<OnlineWriter> writer, store_->OpenWriter(views, lane));
  BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), rows));
  return writer->Flush();
}

RowOutcomes OnlineStoreContract::WriteRow(const ViewColumns& view, std::string_view key,
                                          int64_t event_us,
                                          const std::vector<std::string>& values) {
  Result<RowOutcomes> outcomes = Write(view, BatchBuilder(view).Row(key, event_us, values).Build());
  EXPECT_OK(outcomes);
  if (!outcomes.ok()) return {};
  EXPECT_EQ(Sum(*outcomes), 1);
  EXPECT_TRUE(outcomes->undecided.empty());
  return *std::move(outcomes);
}

std::optional<StoredRow> OnlineStoreContract::ReadRow(const ViewColumns& view,
                                                      const std::string& key) {
  Result<StoredRows> rows = store_->Read(view, std::span(&key, 1));
  EXPECT_OK(rows);
  if (!rows.ok()) return std::nullopt;
  EXPECT_EQ(rows->size(), 1U);
  return rows->empty() ? std::nullopt : rows->front();
}

void OnlineStoreContract::ExpectRow(const ViewColumns& view, const std::string& key,
                                    int64_t event_us, const std::vector<std::string>& values) {
  const std::optional<StoredRow> row = ReadRow(view, key);
  ASSERT_TRUE(row.has_value()) << "no row of view " << view.view;
  ASSERT_EQ(row->values.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(row->values[i].has_value()) << "feature " << i << " is missing";
    EXPECT_TRUE(*row->values[i] == values[i])
        << "feature " << i << " has other bytes: " << row->values[i]->substr(0, 80);
  }
  EXPECT_EQ(row->event_us, std::optional(AtPrecision(event_us)));
}

void OnlineStoreContract::ExpectNoRow(const ViewColumns& view, const std::string& key) {
  EXPECT_FALSE(ReadRow(view, key).has_value()) << "an unexpected row of view " << view.view;
}

int64_t OnlineStoreContract::AtPrecision(int64_t event_us) const {
  return GetParam().keeps_seconds ? event_us / kSecond * kSecond : event_us;
}

std::string OnlineStoreContract::Key(int i) {
  std::string key("\1\0\0\0\2\0\0\0\2\0\0\0id\4\0\0\0\10\0\0\0\0\0\0\0", 26);
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(i >> shift));
  return key;
}

int64_t OnlineStoreContract::Sum(const RowOutcomes& outcomes) {
  return outcomes.written + outcomes.stale + outcomes.unchanged +
         static_cast<int64_t>(outcomes.undecided.size());
}

TEST_P(OnlineStoreContract, ReadsBackTheBytesItWrote) {
  const ViewColumns view = MakeTestView("stats", {"a", "b", "c"});
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  const std::string nul("x\0y\0", 4);
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                       Write(view, BatchBuilder(view)
                                       .Row(Key(1), kNoon, {every_byte, "plain", nul})
                                       .Row(std::string("\0\r\n\0", 4), kNoon + kSecond,
                                            {nul, every_byte, "$-1\r\n"})
                                       .Build()));
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_GT(outcomes.bytes, 512);
  ExpectRow(view, Key(1), kNoon, {every_byte, "plain", nul});
  ExpectRow(view, std::string("\0\r\n\0", 4), kNoon + kSecond, {nul, every_byte, "$-1\r\n"});
}

TEST_P(OnlineStoreContract, KeepsANullAsAnEmptyValue) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  WriteRow(view, Key(1), kNoon, {"", ""});
  ExpectRow(view, Key(1), kNoon, {"", ""});
  WriteRow(view, Key(1), kNoon + kSecond, {"now", ""});
  ExpectRow(view, Key(1), kNoon + kSecond, {"now", ""});
  WriteRow(view, Key(1), kNoon + 2 * kSecond, {"", "late"});
  ExpectRow(view, Key(1), kNoon + 2 * kSecond, {"", "late"});
}

TEST_P(OnlineStoreContract, TakesAnEmptyKey) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, "", kNoon, {"nobody"});
  ExpectRow(view, "", kNoon, {"nobody"});
  ExpectNoRow(view, Key(1));
}

TEST_P(OnlineStoreContract, TakesAValueOfOneMebibyte) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  std::string large(1 << 20, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 251);
  if (GetParam().row_bytes_max > 0) {  // A declared deviation.
    EXPECT_FAULT(Fault::kData, "",
                 Write(view, BatchBuilder(view).Row(Key(1), kNoon, {large, "small"}).Build()));
    ExpectNoRow(view, Key(1));
    large.resize(GetParam().row_bytes_max - 1024);
  }
  WriteRow(view, Key(1), kNoon, {large, "small"});
  ExpectRow(view, Key(1), kNoon, {large, "small"});
}

TEST_P(OnlineStoreContract, TakesManyColumns) {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (int i = 0; i < 300; ++i) {
    names.push_back("feature_" + std::to_string(i));
    values.push_back("value " + std::to_string(i));
  }
  const ViewColumns view = MakeTestView("wide", names);
  WriteRow(view, Key(1), kNoon, values);
  ExpectRow(view, Key(1), kNoon, values);
}

TEST_P(OnlineStoreContract, TakesNamesWithQuotesSpacesAndOtherLetters) {
  const std::string name = "it's \"a\" [view]; --";
  const bool is_plain = GetParam().names_are_plain;  // A declared deviation.
  if (is_plain) {
    const ViewColumns refused = MakeTestView(name, {"a"});
    EXPECT_FAULT(Fault::kUser, "name", store().Prepare(std::span(&refused, 1)));
  }
  const ViewColumns view = MakeTestView(is_plain ? "it" : name, {"fe\"at'ure", "größe", "a b"});
  WriteRow(view, Key(1), kNoon, {"1", "2", "3"});
  ExpectRow(view, Key(1), kNoon, {"1", "2", "3"});
}

TEST_P(OnlineStoreContract, ReadsManyKeysInTheOrderAsked) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  constexpr int kRows = 2500;
  BatchBuilder builder(view);
  for (int i = 0; i < kRows; ++i) builder.Row(Key(i), kNoon + i * kSecond, {std::to_string(i)});
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, builder.Build()));
  EXPECT_EQ(outcomes.written, kRows);
  std::vector<std::string> keys;
  for (int i = kRows; i-- > 0;) keys.push_back(Key(i));
  keys.push_back("unknown");
  keys.push_back(Key(7));
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store().Read(view, keys));
  ASSERT_EQ(rows.size(), keys.size());
  for (int i = 0; i < kRows; ++i) {
    ASSERT_TRUE(rows[i].has_value()) << i;
    EXPECT_EQ(rows[i]->values[0], std::to_string(kRows - 1 - i));
  }
  EXPECT_FALSE(rows[kRows].has_value());
  ASSERT_TRUE(rows[kRows + 1].has_value());
  EXPECT_EQ(rows[kRows + 1]->values[0], "7");
  ASSERT_OK_AND_ASSIGN(const StoredRows none, store().Read(view, {}));
  EXPECT_TRUE(none.empty());
}

TEST_P(OnlineStoreContract, ReadsTheFeaturesAskedFor) {
  const ViewColumns view = MakeTestView("stats", {"a", "b", "c"});
  WriteRow(view, Key(1), kNoon, {"1", "2", "3"});
  ExpectRow(MakeTestView("stats", {"c", "a"}), Key(1), kNoon, {"3", "1"});
  const std::optional<StoredRow> row = ReadRow(MakeTestView("stats", {"b", "unheard"}), Key(1));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->values[0], "2");
  EXPECT_FALSE(row->values[1].has_value());
}

TEST_P(OnlineStoreContract, AnUnknownKeyHasNoRow) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  ExpectNoRow(view, Key(1));
  WriteRow(view, Key(1), kNoon, {"1"});
  ExpectNoRow(view, Key(2));
  ExpectNoRow(view, Key(1) + "0");
  ExpectNoRow(view, Key(1).substr(0, 3));
}

TEST_P(OnlineStoreContract, RewritingTheSameRowsChangesNothing) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  for (int round = 0; round < 3; ++round) {
    const auto batch =
        BatchBuilder(view).Row(Key(1), kNoon, {"1", "x"}).Row(Key(2), kNoon, {"2", ""}).Build();
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch));
    EXPECT_EQ(outcomes.written, 2);
    ExpectRow(view, Key(1), kNoon, {"1", "x"});
    ExpectRow(view, Key(2), kNoon, {"2", ""});
  }
}

TEST_P(OnlineStoreContract, ViewsThatShareKeysAreApart) {
  const ViewColumns first = MakeTestView("first", {"a"});
  const ViewColumns second = MakeTestView("second", {"a"});
  WriteRow(first, Key(1), kNoon, {"of first"});
  ASSERT_OK(store().Prepare(std::span(&second, 1)));
  ExpectNoRow(second, Key(1));
  EXPECT_EQ(WriteRow(second, Key(1), kNoon - kSecond, {"of second"}).written, 1);
  ExpectRow(first, Key(1), kNoon, {"of first"});
  ExpectRow(second, Key(1), kNoon - kSecond, {"of second"});
}

TEST_P(OnlineStoreContract, ProjectsAreApart) {
  const ViewColumns here = MakeTestView("stats", {"a"});
  ViewColumns there = here;
  there.project = "other";
  WriteRow(here, Key(1), kNoon, {"here"});
  ASSERT_OK(store().Prepare(std::span(&there, 1)));
  ExpectNoRow(there, Key(1));
  WriteRow(there, Key(1), kNoon - kSecond, {"there"});
  ExpectRow(here, Key(1), kNoon, {"here"});
  ExpectRow(there, Key(1), kNoon - kSecond, {"there"});
}

TEST_P(OnlineStoreContract, RemovesOneViewAndNothingElse) {
  const ViewColumns first = MakeTestView("first", {"a", "b"});
  const ViewColumns second = MakeTestView("second", {"a"});
  ViewColumns elsewhere = first;
  elsewhere.project = "other";
  WriteRow(first, Key(1), kNoon, {"1", "2"});
  WriteRow(first, Key(2), kNoon, {"1", "2"});
  WriteRow(second, Key(1), kNoon, {"3"});
  WriteRow(elsewhere, Key(1), kNoon, {"4", "5"});
  ASSERT_OK(store().Remove(first));
  ExpectNoRow(first, Key(1));
  ExpectNoRow(first, Key(2));
  ExpectRow(second, Key(1), kNoon, {"3"});
  ExpectRow(elsewhere, Key(1), kNoon, {"4", "5"});
  ASSERT_OK(store().Remove(first));
  EXPECT_EQ(WriteRow(first, Key(1), kNoon - kSecond, {"6", "7"}).written, 1);
  ExpectRow(first, Key(1), kNoon - kSecond, {"6", "7"});
}

TEST_P(OnlineStoreContract, WritersMayTakeTurnsOnEveryLane) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  const int lanes = store().needs().lanes;
  ASSERT_GE(lanes, 1);
  std::vector<std::unique_ptr<OnlineWriter>> writers;
  for (int lane = 0; lane < lanes; ++lane) {
    ASSERT_OK_AND_ASSIGN(writers.emplace_back(), store().OpenWriter(std::span(&view, 1), lane));
  }
  ASSERT_OK_AND_ASSIGN(writers.emplace_back(), store().OpenWriter(std::span(&view, 1), 0));
  int64_t written = 0;
  for (int i = 0; i < 20; ++i) {
    OnlineWriter& writer = *writers[i % writers.size()];
    const auto batch =
        BatchBuilder(view).Row(Key(i), kNoon, {"own"}).Row("shared", kNoon + i, {"s"}).Build();
    ASSERT_OK(writer.Write(batch, RowSelection::All()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer.Flush());
    written += outcomes.written;
  }
  EXPECT_EQ(written, 40);
  for (int i = 0; i < 20; ++i) ExpectRow(view, Key(i), kNoon, {"own"});
  ExpectRow(view, "shared", kNoon + 19, {"s"});
}

TEST_P(OnlineStoreContract, WritesAGroupOfTwoViewsFromOneBatch) {
  const std::vector<ViewColumns> views = {MakeTestView("first", {"a", "b"}),
                                          MakeTestView("second", {"c"})};
  const auto batch = BatchBuilder(views)
                         .Row(Key(1), kNoon, {"1", "2", "3"})
                         .Row(Key(2), kNoon, {"4", "", "6"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(views, batch));
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_EQ(Sum(outcomes), 2);
  EXPECT_EQ(outcomes.views, (std::vector<ViewOutcomes>{{.written = 2}, {.written = 2}}));
  ExpectRow(views[0], Key(1), kNoon, {"1", "2"});
  ExpectRow(views[0], Key(2), kNoon, {"4", ""});
  ExpectRow(views[1], Key(1), kNoon, {"3"});
  ExpectRow(views[1], Key(2), kNoon, {"6"});
}

TEST_P(OnlineStoreContract, WritesOnlyTheRowsSelected) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  BatchBuilder builder(view);
  for (int i = 0; i < 10; ++i) builder.Row(Key(i), kNoon, {std::to_string(i)});
  const auto batch = builder.Build();
  const std::vector<uint32_t> rows = {0, 3, 4, 9};
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch, RowSelection::Of(rows)));
  EXPECT_EQ(outcomes.written, 4);
  EXPECT_EQ(Sum(outcomes), 4);
  ExpectRow(view, Key(3), kNoon, {"3"});
  ExpectRow(view, Key(9), kNoon, {"9"});
  ExpectNoRow(view, Key(1));
  ExpectNoRow(view, Key(8));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes nothing, Write(view, batch, RowSelection::Of({})));
  EXPECT_EQ(Sum(nothing), 0);
  ExpectNoRow(view, Key(1));
}

TEST_P(OnlineStoreContract, CountsAddUp) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  constexpr int kRows = 1200;
  BatchBuilder before(view);
  for (int i = 0; i < kRows; i += 3) before.Row(Key(i), kNoon, {"held"});
  ASSERT_OK(Write(view, before.Build()));
  BatchBuilder after(view);
  for (int i = 0; i < kRows; ++i) {
    after.Row(Key(i), i % 2 == 0 ? kNoon - kSecond : kNoon + kSecond, {"next"});
  }
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, after.Build()));
  EXPECT_EQ(Sum(outcomes), kRows);
  EXPECT_EQ(outcomes.stale, kRows / 6);
  EXPECT_EQ(outcomes.written, kRows - kRows / 6);
}

TEST_P(OnlineStoreContract, SeveralWritesMayShareOneFlush) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store().OpenWriter(std::span(&view, 1), 0));
  for (int i = 0; i < 5; ++i) {
    auto batch = BatchBuilder(view).Row(Key(i), kNoon, {"v"}).Row("last", kNoon + i, {"l"}).Build();
    ASSERT_OK(writer->Write(std::move(batch), RowSelection::All()));
  }
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(Sum(outcomes), 10);
  for (int i = 0; i < 5; ++i) ExpectRow(view, Key(i), kNoon, {"v"});
  ExpectRow(view, "last", kNoon + 4, {"l"});
  ASSERT_OK_AND_ASSIGN(const RowOutcomes again, writer->Flush());
  EXPECT_EQ(Sum(again), 0) << "a row is decided once";
}

TEST_P(OnlineStoreContract, FlushesNothing) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store().OpenWriter(std::span(&view, 1), 0));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
    EXPECT_EQ(Sum(outcomes), 0);
  }
  ASSERT_OK(writer->Write(BatchBuilder(view).Build(), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(Sum(outcomes), 0);
}

TEST_P(OnlineStoreContract, AWriterDroppedWithoutFlushBreaksNothing) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  WriteRow(view, Key(1), kNoon, {"1", "2"});
  {
    ASSERT_OK_AND_ASSIGN(auto writer, store().OpenWriter(std::span(&view, 1), 0));
    auto batch = BatchBuilder(view).Row(Key(2), kNoon, {"3", "4"}).Build();
    ASSERT_OK(writer->Write(std::move(batch), RowSelection::All()));
  }
  ExpectRow(view, Key(1), kNoon, {"1", "2"});
  if (ReadRow(view, Key(2)).has_value()) ExpectRow(view, Key(2), kNoon, {"3", "4"});
  EXPECT_EQ(WriteRow(view, Key(2), kNoon, {"5", "6"}).written, 1);
  ExpectRow(view, Key(2), kNoon, {"5", "6"});
}

TEST_P(OnlineStoreContract, TakesTimesAtAndBefore1970) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  const std::vector<int64_t> times = {0,
                                      1,
                                      -1,
                                      -kSecond,
                                      500'000,
                                      -500'000,
                                      -1'500'000,
                                      1,
                                      -62'135'596'800 * kSecond,
                                      253'402'300'799 * kSecond};
  for (size_t i = 0; i < times.size(); ++i) {
    WriteRow(view, Key(static_cast<int>(i)), times[i], {"v"});
    ExpectRow(view, Key(static_cast<int>(i)), times[i], {"v"});
  }
}

TEST_P(OnlineStoreContract, TakesCreatedTimesAndTheirNulls) {
  ViewColumns view = MakeTestView("stats", {"a"});
  view.has_created_time = true;
  const auto batch = BatchBuilder(view)
                         .Row(Key(1), kNoon, kNoon + kSecond, {"1"})
                         .Row(Key(2), kNoon, std::nullopt, {"2"})
                         .Build();
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(view, batch));
  EXPECT_EQ(outcomes.written, 2);
  ExpectRow(view, Key(1), kNoon, {"1"});
  ExpectRow(view, Key(2), kNoon, {"2"});
}

TEST_P(OnlineStoreContract, PreparingAgainChangesNothing) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  WriteRow(view, Key(1), kNoon, {"kept"});
  ASSERT_OK(store().Prepare(std::span(&view, 1)));
  ExpectRow(view, Key(1), kNoon, {"kept"});
  ASSERT_OK(store().Prepare({}));
}

TEST_P(OnlineStoreContract, AnotherStoreOverTheSameDataSeesTheRows) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  WriteRow(view, Key(1), kNoon, {"kept"});
  ASSERT_OK(store().ConfirmWritten());
  ASSERT_OK_AND_ASSIGN(auto other, GetParam().make(scratch()));
  ASSERT_OK(other->Prepare(std::span(&view, 1)));
  const std::string key = Key(1);
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, other->Read(view, std::span(&key, 1)));
  ASSERT_TRUE(rows[0].has_value());
  EXPECT_EQ(rows[0]->values[0], "kept");
}

TEST_P(OnlineStoreContract, NamesItself) {
  EXPECT_FALSE(store().type().empty());
  EXPECT_THAT(store().Describe(), ::testing::HasSubstr(std::string(store().type())));
}

}  // namespace banquet
