#include <map>

#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/dynamodb/client.h"
#include "banquet/online/dynamodb/dynamodb_store.h"
#include "banquet/online/dynamodb/item.h"
#include "banquet/online/dynamodb/live_dynamodb.h"

namespace banquet::dynamodb {
namespace {

constexpr int64_t kNoonUs = 1'700'000'000'000'000;
constexpr int64_t kSecond = 1'000'000;

using Entries = std::map<std::string, std::string>;

LiveDynamo* Server() {
  static const Result<std::unique_ptr<LiveDynamo>> server = LiveDynamo::Start();
  EXPECT_OK(server);
  setenv("AWS_ACCESS_KEY_ID", "test", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "test", 1);
  return server.ok() ? server->get() : nullptr;
}

Result<std::unique_ptr<OnlineStore>> StoreIn(const std::string& region, Entries changed = {},
                                             const OnlineStoreContext& context = {}) {
  LiveDynamo* server = Server();
  if (server == nullptr) return RemoteError({}, "no DynamoDB Local");
  Entries entries = {{"type", "dynamodb"},
                     {"region", region},
                     {"endpoint_url", server->url()},
                     {"consistent_reads", "true"}};
  for (const auto& [key, value] : changed) entries[key] = value;
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : entries) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  return MakeStore(block, context);
}

StoreUnderTest Dynamo() {
  return {.name = "plain",
          .make =
              [](const std::string& scratch) {
                static std::map<std::string, std::string> regions;
                const auto [region, added] =
                    regions.try_emplace(scratch, "contract-" + std::to_string(regions.size()));
                return StoreIn(region->second);
              },
          .row_bytes_max = kItemBytesMax,
          .names_are_plain = true};
}

INSTANTIATE_TEST_SUITE_P(DynamoDb, OnlineStoreContract, ::testing::Values(Dynamo()),
                         StoreUnderTest::NameOf);

class DynamoStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(Server(), nullptr);
    static int regions = 0;
    region_ = "own-" + std::to_string(regions++);
    ASSERT_OK_AND_ASSIGN(store_, StoreIn(region_));
  }

  Result<RowOutcomes> Write(const ViewColumns& view, std::shared_ptr<const EncodedBatch> batch) {
    BANQUET_RETURN_NOT_OK(store_->Prepare(std::span(&view, 1)));
    BANQUET_ASSIGN_OR_RETURN(auto writer, store_->OpenWriter(std::span(&view, 1), 0));
    BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), RowSelection::All()));
    return writer->Flush();
  }

  // Past the store: the answer to a call, as its JSON.
  std::string Ask(std::string_view operation, const std::string& body) {
    const auto client = Client::Open(
        {.endpoint = Server()->url(), .region = region_, .server = "the server", .chain = &chain_});
    EXPECT_OK(client);
    const auto answer = (*client)->Call(operation, body);
    EXPECT_OK(answer);
    return answer.ok() ? *answer : "";
  }

  std::string region_;
  std::unique_ptr<OnlineStore> store_;
  aws::CredentialChain chain_{{.region = "any"}};
};

TEST_F(DynamoStoreTest, MakesTheTableThatFeastMakes) {
  ViewColumns view = MakeTestView("stats", {"a"});
  view.tags = {{"team", "night"}};
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  const std::string table = Ask("DescribeTable", R"({"TableName":"demo.stats"})");
  EXPECT_THAT(table, ::testing::HasSubstr(
                         R"("KeySchema":[{"AttributeName":"entity_id","KeyType":"HASH"}])"));
  EXPECT_THAT(table, ::testing::HasSubstr(R"("BillingMode":"PAY_PER_REQUEST")"));
  ASSERT_OK(store_->ConfirmWritten());
}

TEST_F(DynamoStoreTest, WritesTheItemThatFeastWrites) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  ASSERT_OK(Write(view, BatchBuilder(view)
                            .Row("one", kNoonUs, {"abc", ""})
                            .Row("two", kNoonUs + 5, {"x", "y"})
                            .Build()));
  const std::string items = Ask("Scan", R"({"TableName":"demo.stats"})");
  EXPECT_THAT(items, ::testing::HasSubstr(R"("Count":2)"));
  EXPECT_THAT(items, ::testing::HasSubstr(R"("entity_id":{"S":")" + EntityId("one") + "\"}"));
  EXPECT_THAT(items, ::testing::HasSubstr(R"("event_ts":{"S":"2023-11-14 22:13:20+00:00"})"));
  EXPECT_THAT(items,
              ::testing::HasSubstr(R"("event_ts":{"S":"2023-11-14 22:13:20.000005+00:00"})"));
  EXPECT_THAT(items, ::testing::HasSubstr(R"("a":{"B":"YWJj"})"));
  EXPECT_THAT(items, ::testing::HasSubstr(R"("b":{"B":""})"));
}

class StrictDynamoStoreTest : public DynamoStoreTest {
 protected:
  static ViewColumns StrictView(const std::string& name) {
    ViewColumns view = MakeTestView(name, {"a"});
    view.guard = Guard::kStrict;
    return view;
  }
};

// Both kinds of statements come first once, and each kind of row meets each.
TEST_F(StrictDynamoStoreTest, GuardsByConditions) {
  const ViewColumns view = StrictView("stats");
  BatchBuilder first(view);
  for (int i = 0; i < 60; ++i) first.Row("key" + std::to_string(i), kNoonUs, {"first"});
  ASSERT_OK_AND_ASSIGN(RowOutcomes outcomes, Write(view, first.Build()));
  EXPECT_EQ(outcomes.written, 60);
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(store_, StoreIn(region_));
    BatchBuilder next(view);
    for (int i = 0; i < 90; ++i) {
      next.Row("key" + std::to_string(i), kNoonUs + (i % 3 - 1) * kSecond, {"next"});
    }
    ASSERT_OK_AND_ASSIGN(outcomes, Write(view, next.Build()));
    // The first time the last thirty are new; the second time all are there at equal times.
    EXPECT_EQ(outcomes.stale, 20);
    EXPECT_EQ(outcomes.written, 70);
    EXPECT_TRUE(outcomes.undecided.empty());
  }
  const std::vector<std::string> keys = {"key0", "key1", "key2", "key60"};
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store_->Read(view, keys));
  EXPECT_EQ(rows[0]->values[0], "first");
  EXPECT_EQ(rows[1]->values[0], "next");
  EXPECT_EQ(rows[2]->values[0], "next");
  EXPECT_EQ(rows[3]->values[0], "next");
}

// Both ways to write an item, and a view without a ttl.
TEST_F(StrictDynamoStoreTest, ItemsExpireWhereThatIsAskedFor) {
  ASSERT_OK_AND_ASSIGN(store_, StoreIn(region_, {}, {.dynamodb_ttl_attribute = "expires-at"}));
  for (const Guard guard : {Guard::kCheck, Guard::kStrict}) {
    const std::string name = guard == Guard::kCheck ? "checked" : "strict";
    ViewColumns view = StrictView(name);
    view.guard = guard;
    view.ttl_us = 3'600 * kSecond;
    ASSERT_OK(Write(view, BatchBuilder(view).Row("one", kNoonUs, {"x"}).Build()));
    EXPECT_THAT(Ask("Scan", R"({"TableName":"demo.)" + name + "\"}"),
                ::testing::HasSubstr(R"("expires-at":{"N":"1700003600"})"));
    EXPECT_THAT(
        Ask("DescribeTimeToLive", R"({"TableName":"demo.)" + name + "\"}"),
        ::testing::AllOf(::testing::HasSubstr("expires-at"), ::testing::HasSubstr("ENABLED")));
    ASSERT_OK(Write(view, BatchBuilder(view).Row("one", kNoonUs + 1, {"y"}).Build()));
    EXPECT_THAT(Ask("Scan", R"({"TableName":"demo.)" + name + "\"}"),
                ::testing::HasSubstr(R"("expires-at":{"N":"1700003601"})"))
        << "a second begun counts";
  }
  // The strict one loses its ttl, and its items their expiry.
  ViewColumns lasting = StrictView("strict");
  lasting.guard = Guard::kStrict;
  ASSERT_OK(Write(lasting, BatchBuilder(lasting).Row("one", kNoonUs + 2, {"z"}).Build()));
  EXPECT_THAT(Ask("Scan", R"({"TableName":"demo.strict"})"),
              ::testing::Not(::testing::HasSubstr("expires-at")));
  const ViewColumns endless = StrictView("endless");
  ASSERT_OK(Write(endless, BatchBuilder(endless).Row("one", kNoonUs, {"x"}).Build()));
  EXPECT_THAT(Ask("Scan", R"({"TableName":"demo.endless"})"),
              ::testing::Not(::testing::HasSubstr("expires-at")));
}

TEST_F(DynamoStoreTest, WritesHaveAPrice) {
  ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(store_, StoreIn(region_, {}, {.dynamodb_write_units_max = "10"}));
  ASSERT_OK_AND_ASSIGN(const auto price, store_->PriceOf(view));
  ASSERT_TRUE(price.has_value());
  EXPECT_EQ(price->units_per_second, 10);
  const auto batch = BatchBuilder(view)
                         .Row("one", kNoonUs, {"x"})
                         .Row("two", kNoonUs, {std::string(1024, 'x')})
                         .Build();
  EXPECT_EQ(price->units_of(*batch, 0, 0), 1);
  EXPECT_EQ(price->units_of(*batch, 0, 1), 2);
  EXPECT_EQ(Ask("ListTables", "{}"), R"({"TableNames":[]})") << "nothing is made";
}

TEST_F(DynamoStoreTest, ATableWithAnotherKeyIsRefused) {
  Ask("CreateTable", R"({"TableName":"demo.stats","BillingMode":"PAY_PER_REQUEST",)"
                     R"("KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],)"
                     R"("AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]})");
  const ViewColumns view = MakeTestView("stats", {"a"});
  EXPECT_FAULT(Fault::kUser, "the key of table demo.stats is not entity_id alone",
               store_->Prepare(std::span(&view, 1)));
  EXPECT_FAULT(Fault::kUser, "the key of table demo.stats", store_->Check(std::span(&view, 1)));
}

TEST_F(DynamoStoreTest, ATableMadeAnewIsNotConfirmed) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(Write(view, BatchBuilder(view).Row("k", kNoonUs, {"1"}).Build()));
  ASSERT_OK(store_->ConfirmWritten());
  ASSERT_OK_AND_ASSIGN(const auto other, StoreIn(region_));
  ASSERT_OK(other->Remove(view));
  EXPECT_FAULT(Fault::kRemote, "removed or made anew", store_->ConfirmWritten());
  ASSERT_OK(other->Prepare(std::span(&view, 1)));
  EXPECT_FAULT(Fault::kRemote, "removed or made anew", store_->ConfirmWritten());
}

TEST_F(DynamoStoreTest, CheckMakesNothing) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Check(std::span(&view, 1)));
  EXPECT_THAT(Ask("ListTables", "{}"), ::testing::HasSubstr(R"("TableNames":[])"));
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  ASSERT_OK(store_->Check(std::span(&view, 1)));
}

TEST_F(DynamoStoreTest, AViewWithoutATableHasNoRows) {
  const std::string key = "k";
  ASSERT_OK_AND_ASSIGN(const StoredRows rows,
                       store_->Read(MakeTestView("nobody", {"a"}), std::span(&key, 1)));
  EXPECT_FALSE(rows[0].has_value());
}

}  // namespace
}  // namespace banquet::dynamodb
