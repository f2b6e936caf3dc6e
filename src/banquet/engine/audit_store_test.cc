#include "banquet/engine/audit_store.h"

#include <map>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

constexpr int64_t kSecond = 1'000'000;

// A store of one view `v` with the feature `f`, which fails where it is told to and counts reads.
class ShelfStore final : public OnlineStore {
 public:
  std::map<std::string, StoredRow> rows;
  Status failure;
  int64_t time_unit_us = 1;
  size_t keys_read = 0;

  WriteNeeds needs() const override {
    return {.lanes = 3, .order = WriteOrder::kByKey, .time_unit_us = time_unit_us};
  }
  Status Check(std::span<const ViewColumns>) override { return Status::OK(); }
  Status Prepare(std::span<const ViewColumns>) override { return Bug("an audit prepares nothing"); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns>, int) override {
    return Bug("an audit writes nothing");
  }
  Result<StoredRows> Read(const ViewColumns&, std::span<const std::string> keys) override {
    BANQUET_RETURN_NOT_OK(failure);
    keys_read += keys.size();
    StoredRows stored;
    for (const std::string& key : keys) {
      const auto found = rows.find(key);
      stored.push_back(found == rows.end() ? std::nullopt : std::optional(found->second));
    }
    return stored;
  }
  Status Remove(const ViewColumns&) override { return Bug("an audit removes nothing"); }
  std::string_view type() const override { return "shelf"; }
  std::string Describe() const override { return "shelf"; }
};

ViewColumns TestView() {
  return {.project = "p",
          .view = "v",
          .join_keys = {},
          .features = {{.name = "f", .type = ValueType::kString, .tags = {}, .description = {}}}};
}

// Keys with a time in seconds; the value is the key.
std::shared_ptr<const EncodedBatch> BatchOf(const std::map<std::string, int64_t>& times) {
  auto batch = std::make_shared<EncodedBatch>();
  batch->rows = times.size();
  EncodedFeature& feature = batch->views.emplace_back().emplace_back();
  for (const auto& [key, seconds] : times) {
    batch->keys.data += key;
    batch->keys.Close();
    batch->event_us.push_back(seconds * kSecond);
    feature.values.data += key;
    feature.values.Close();
  }
  return batch;
}

StoredRow Stored(const std::string& value, std::optional<int64_t> seconds) {
  StoredRow row;
  row.values = {value};
  if (seconds.has_value()) row.event_us = *seconds * kSecond;
  return row;
}

TEST(AuditStoreTest, TellsHowEachStoredRowStands) {
  ShelfStore shelf;
  shelf.rows = {{"equal", Stored("equal", 5)},
                {"stale", Stored("stale", 4)},
                {"ahead", Stored("other", 6)},
                {"other", Stored("another", 5)},
                {"timeless", Stored("timeless", std::nullopt)}};
  AuditStore audit(&shelf, std::nullopt);
  const std::vector<ViewColumns> views = {TestView()};
  ASSERT_OK(audit.Prepare(views));
  ASSERT_OK_AND_ASSIGN(const auto writer, audit.OpenWriter(views, 0));
  const auto batch = BatchOf(
      {{"equal", 5}, {"stale", 5}, {"ahead", 5}, {"other", 5}, {"timeless", 5}, {"missing", 5}});
  ASSERT_OK(writer->Write(batch, RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.unchanged, 6);
  EXPECT_EQ(outcomes.views, (std::vector<ViewOutcomes>{{.unchanged = 6}}));
  const ViewAudit found = audit.audits().at("v");
  EXPECT_EQ(found.Of(Standing::kEqual), 1);
  EXPECT_EQ(found.Of(Standing::kStale), 1);
  EXPECT_EQ(found.Of(Standing::kAhead), 1);
  EXPECT_EQ(found.Of(Standing::kDiffering), 2);
  EXPECT_EQ(found.Of(Standing::kMissing), 1);
  EXPECT_EQ(found.checked(), 6);
  EXPECT_FALSE(found.IsWhole());
  ASSERT_EQ(found.examples.size(), 5u);
  for (const AuditExample& example : found.examples) {
    if (example.entity_key != "other") continue;
    EXPECT_EQ(example.standing, Standing::kDiffering);
    EXPECT_EQ(example.features, std::vector<std::string>{"f"});
    EXPECT_EQ(example.source_us, 5 * kSecond);
    EXPECT_EQ(example.stored_us, 5 * kSecond);
  }
}

TEST(AuditStoreTest, TimesAreComparedAtThePrecisionOfTheStore) {
  const SourceRow row{.entity_key = "k", .event_us = -1'500'000, .values = {"k"}};
  EXPECT_EQ(CompareRow(TestView(), row, Stored("k", -1), kSecond).standing, Standing::kEqual);
  EXPECT_EQ(CompareRow(TestView(), row, Stored("k", -1), 1).standing, Standing::kAhead);
  EXPECT_EQ(CompareRow(TestView(), row, Stored("k", -2), kSecond).standing, Standing::kStale);
}

TEST(AuditStoreTest, AValueThatIsNotStoredDiffersAlsoFromNull) {
  const SourceRow row{.entity_key = "k", .event_us = 0, .values = {""}};
  StoredRow stored = Stored("", 0);
  EXPECT_EQ(CompareRow(TestView(), row, stored, 1).standing, Standing::kEqual);
  stored.values = {std::nullopt};
  EXPECT_EQ(CompareRow(TestView(), row, stored, 1).standing, Standing::kDiffering);
}

TEST(AuditStoreTest, ABatchThatIsTriedAgainCountsOnce) {
  ShelfStore shelf;
  AuditStore audit(&shelf, std::nullopt);
  const std::vector<ViewColumns> views = {TestView()};
  ASSERT_OK(audit.Prepare(views));
  const auto batch = BatchOf({{"a", 1}, {"b", 1}});
  {
    ASSERT_OK_AND_ASSIGN(const auto writer, audit.OpenWriter(views, 0));
    ASSERT_OK(writer->Write(batch, RowSelection::All()));
    shelf.failure = RemoteError({.retryable = true}, "reset");
    EXPECT_FAULT(Fault::kRemote, "reset", writer->Write(batch, RowSelection::All()));
  }
  shelf.failure = Status::OK();
  ASSERT_OK_AND_ASSIGN(const auto writer, audit.OpenWriter(views, 0));
  ASSERT_OK(writer->Write(batch, RowSelection::All()));
  ASSERT_OK(writer->Flush().status());
  EXPECT_EQ(audit.audits().at("v").checked(), 2);
}

TEST(AuditStoreTest, AStoreThatIsNotThereFailsAtOnceAndASecondAttemptBeginsAnew) {
  ShelfStore shelf;
  shelf.failure = RemoteError({}, "nobody there");
  AuditStore audit(&shelf, std::nullopt);
  const std::vector<ViewColumns> views = {TestView()};
  EXPECT_FAULT(Fault::kRemote, "nobody there", audit.Prepare(views));
  shelf.failure = Status::OK();
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSERT_OK(audit.Prepare(views));
    ASSERT_OK_AND_ASSIGN(const auto writer, audit.OpenWriter(views, 0));
    ASSERT_OK(writer->Write(BatchOf({{"a", 1}}), RowSelection::All()));
    ASSERT_OK(writer->Flush().status());
  }
  EXPECT_EQ(audit.audits().at("v").checked(), 1);
}

TEST(AuditStoreTest, ASampleIsComparedAfterTheRunAtTheRateGiven) {
  ShelfStore shelf;
  AuditStore audit(&shelf, /*sample=*/20);
  const std::vector<ViewColumns> views = {TestView()};
  ASSERT_OK(audit.Prepare(views));
  shelf.keys_read = 0;
  std::map<std::string, int64_t> times;
  for (int i = 0; i < 500; ++i) times["key" + std::to_string(i)] = i;
  ASSERT_OK_AND_ASSIGN(const auto writer, audit.OpenWriter(views, 0));
  ASSERT_OK(writer->Write(BatchOf(times), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.unchanged, 500);
  EXPECT_EQ(shelf.keys_read, 0u);
  RateLimit rate(10);
  ManualClock clock(0);
  ASSERT_OK(audit.CompareSample(&rate, &clock, {}));
  EXPECT_EQ(shelf.keys_read, 20u);
  EXPECT_EQ(audit.audits().at("v").Of(Standing::kMissing), 20);
  EXPECT_EQ(clock.NowUs(), 1'900'000);
  shelf.failure = RemoteError({}, "gone");
  EXPECT_FAULT(Fault::kRemote, "gone", audit.CompareSample(&rate, &clock, {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "", audit.CompareSample(&rate, &clock, stop.get_token()));
}

}  // namespace
}  // namespace banquet
