#include <map>
#include <set>

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/live_redis.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet {
namespace redis {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Result<std::unique_ptr<OnlineStore>> StoreOn(const LiveRedis& server,
                                             const std::string& parameters = "",
                                             Entries entries = {},
                                             OnlineStoreContext context = {}) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  entries.emplace_back("connection_string", server.connection_string() + parameters);
  for (const auto& [key, value] : entries) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  return MakeStore(block, context);
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Writes rows "key0", "key1", … of one feature.
Result<RowOutcomes> WriteRows(OnlineStore* store, const ViewColumns& view, int rows,
                              int64_t event_us) {
  BANQUET_RETURN_NOT_OK(store->Prepare(std::span(&view, 1)));
  BANQUET_ASSIGN_OR_RETURN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  BatchBuilder builder(view);
  for (int i = 0; i < rows; ++i) builder.Row("key" + std::to_string(i), event_us, {"value"});
  BANQUET_RETURN_NOT_OK(writer->Write(builder.Build(), RowSelection::All()));
  return writer->Flush();
}

// One server for the contract's tests; each test has its own database, emptied before.
LiveRedis* ContractServer() {
  static const Result<std::unique_ptr<LiveRedis>> server = LiveRedis::Start();
  EXPECT_OK(server);
  return server.ok() ? server->get() : nullptr;
}

StoreUnderTest Redis(std::string name, bool restore) {
  return {.name = std::move(name),
          .make = [restore](const std::string& scratch) -> Result<std::unique_ptr<OnlineStore>> {
            LiveRedis* server = ContractServer();
            if (server == nullptr) return RemoteError({}, "no redis-server");
            static std::set<std::string> known;
            if (known.insert(scratch).second) {
              BANQUET_ASSIGN_OR_RETURN(auto connection, server->Connect());
              BANQUET_RETURN_NOT_OK(connection->Call({"FLUSHALL"}).status());
            }
            OnlineStoreContext context;
            context.redis_restore = restore;
            return StoreOn(*server, "", {}, context);
          },
          .feast_skips_older = true,
          .feast_skips_equal = true};
}

// One entity of shared golden data (case basic), as real Feast left it: four views in one hash.
constexpr char kGoldenEntity[] =
    "0100000002000000090000006472697665725f69640400000008000000"
    "0000000000000000";
const std::map<std::string, std::string> kGoldenFields = {
    {"32b080b6", "2000"},
    {"35608aed", "40c397b7a205"},
    {"426aa434", "20ffffffffffffffff7f"},
    {"463f35e5", "1209e697a5e69cace8aa9e"},
    {"4885eba5", "2002"},
    {"5956e084", "35cdcccc3d"},
    {HexOf("_ts:driver_stats"), "08acadabaf0610f88288c602"},
    {HexOf("_ts:mapped"), "0880b584af0610d00f"},
    {HexOf("_ts:no_created"), "0880f787af06"},
    {HexOf("_ts:with_ttl"), "0880b584af06"},
    {"6d63d34b", "2064"},
    {"7ba07a53", "18f3e886d705"},
    {"81ba7753", "0a0200ff"},
    {"abb3946e", "29000000000000f03f"},
    {"b8590fc4", "3800"},
    {"fa731014", "299c7500883ce4377e"},
};

struct GoldenView {
  const char* name;
  int64_t event_us;
  std::vector<std::pair<const char*, const char*>> values;  // Feature, value in hex.
};

TEST(RedisLiveTest, LeavesTheBytesThatFeastLeaves) {
  const std::vector<GoldenView> views = {
      {"driver_stats",
       1709889196'683803,
       {{"conv_rate", "299c7500883ce4377e"},
        {"acc_rate", "35cdcccc3d"},
        {"trips", "20ffffffffffffffff7f"},
        {"level", "18f3e886d705"},
        {"nick", "1209e697a5e69cace8aa9e"},
        {"active", "3800"},
        {"blob", "0a0200ff"},
        {"last_seen", "40c397b7a205"}}},
      {"mapped", 1709251200'000002, {{"conv_rate", "29000000000000f03f"}, {"plain", "2000"}}},
      {"no_created", 1709308800'000000, {{"v", "2002"}}},
      {"with_ttl", 1709251200'000000, {{"v", "2064"}}},
  };
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  for (const GoldenView& golden : views) {
    std::vector<std::string> names;
    std::vector<std::string> values;
    for (const auto& [name, hex] : golden.values) {
      names.emplace_back(name);
      values.push_back(Unhex(hex));
    }
    ViewColumns view = MakeTestView(golden.name, names);
    view.project = "golden_basic";
    ASSERT_OK(store->Prepare(std::span(&view, 1)));
    ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
    ASSERT_OK(
        writer->Write(BatchBuilder(view).Row(Unhex(kGoldenEntity), golden.event_us, values).Build(),
                      RowSelection::All()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
    EXPECT_EQ(outcomes.written, 1);
  }
  ASSERT_OK_AND_ASSIGN(const auto connection, server->Connect());
  ASSERT_OK_AND_ASSIGN(const Reply* reply, connection->Call({"KEYS", "*"}));
  ASSERT_EQ(reply->size(), 2U);
  const std::string key = Unhex(kGoldenEntity) + "golden_basic";
  EXPECT_EQ(HexOf(reply->text(1)), HexOf(key));
  ASSERT_OK_AND_ASSIGN(reply, connection->Call({"HGETALL", key}));
  std::map<std::string, std::string> fields;
  for (size_t i = 1; i + 1 < reply->size(); i += 2) {
    fields[HexOf(reply->text(i))] = HexOf(reply->text(i + 1));
  }
  EXPECT_EQ(fields, kGoldenFields);
  ASSERT_OK_AND_ASSIGN(reply, connection->Call({"TTL", key}));
  EXPECT_EQ(reply->integer(), -1);
}

TEST(RedisLiveTest, ExpiresKeysWhereAsked) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, "", {{"key_ttl_seconds", "1000"}}));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                       WriteRows(store.get(), MakeTestView("v", {"a"}), 3, 5));
  EXPECT_EQ(outcomes.written, 3);
  ASSERT_OK_AND_ASSIGN(const auto connection, server->Connect());
  ASSERT_OK_AND_ASSIGN(const Reply* reply, connection->Call({"TTL", "key1demo"}));
  EXPECT_GT(reply->integer(), 900);
  EXPECT_LE(reply->integer(), 1000);
}

TEST(RedisLiveTest, TellsAWrongPasswordAndAMissingOne) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start({"--requirepass", "right"}));
  ASSERT_OK_AND_ASSIGN(const auto wrong, StoreOn(*server, ",password=wr0ng-canary"));
  const Status refused = wrong->Prepare({});
  EXPECT_FAULT(Fault::kUser, "WRONGPASS", refused);
  EXPECT_THAT(refused.message(), ::testing::Not(::testing::HasSubstr("wr0ng-canary")));
  ASSERT_OK_AND_ASSIGN(const auto missing, StoreOn(*server));
  EXPECT_FAULT(Fault::kUser, "password=", missing->Prepare({}));
  ASSERT_OK_AND_ASSIGN(const auto right, StoreOn(*server, ",password=right"));
  EXPECT_OK(right->Prepare({}));
  ASSERT_OK_AND_ASSIGN(const auto other_db, StoreOn(*server, ",password=right,db=16"));
  EXPECT_FAULT(Fault::kUser, "db=", other_db->Prepare({}));
}

TEST(RedisLiveTest, APasswordThatNobodyAsksForIsTold) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, ",password=x"));
  EXPECT_FAULT(Fault::kUser, "no password", store->Prepare({}));
}

TEST(RedisLiveTest, WorksUnderTheRightsOfTheDocument) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK_AND_ASSIGN(
      const Reply* reply,
      admin->Call({"ACL",          "SETUSER", "feast",   "on",      ">pw",        "~*",
                   "-@all",        "+ping",   "+select", "+info",   "+client|id", "+client|setname",
                   "+client|kill", "+hmget",  "+hset",   "+expire", "+wait",      "+watch",
                   "+unwatch",     "+multi",  "+exec",   "+discard"}));
  ASSERT_TRUE(reply->IsStatus("OK"));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, ",username=feast,password=pw",
                                                 {{"key_ttl_seconds", "100"}}));
  ViewColumns view = MakeTestView("v", {"a"});
  EXPECT_OK(WriteRows(store.get(), view, 10, 5));
  view.guard = Guard::kStrict;
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(store.get(), view, 10, 6));
  EXPECT_EQ(outcomes.written, 10);
  EXPECT_OK(store->ConfirmWritten());
  EXPECT_FAULT(Fault::kUser, "NOPERM", store->Remove(view));
}

TEST(RedisLiveTest, AServerKilledWhileWrittenToIsAnError) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  BatchBuilder builder(view);
  for (int i = 0; i < 1500; ++i) builder.Row("key" + std::to_string(i), 7, {"value"});
  // Writes are not answered, so that the last chunks are surely open.
  ASSERT_OK_AND_ASSIGN(const auto other, server->Connect());
  ASSERT_OK(other->Call({"CLIENT", "PAUSE", "100000", "WRITE"}).status());
  ASSERT_OK(writer->Write(builder.Build(), RowSelection::All()));
  server->Kill();
  const auto outcomes = writer->Flush();
  EXPECT_FAULT(Fault::kRemote, server->connection_string(), outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  writer.reset();
  EXPECT_FAULT(Fault::kRemote, "refused", store->OpenWriter(std::span(&view, 1), 0));
  EXPECT_FAULT(Fault::kRemote, "refused", store->ConfirmWritten());
  ASSERT_OK(server->Restart());
  const auto confirmed = store->ConfirmWritten();
  EXPECT_FAULT(Fault::kRemote, "run_id", confirmed);
  EXPECT_FALSE(IsRetryable(confirmed)) << "what was acknowledged is lost; the run must not pass";
  EXPECT_FAULT(Fault::kRemote, "run_id", store->OpenWriter(std::span(&view, 1), 0));
}

// Trap 1 of reliability.md: the stalled writer's bytes must not be executed after its successor's.
TEST(RedisLiveTest, AZombiePipelineIsKilledBeforeItsSuccessorWrites) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  OnlineStoreContext context;
  context.stall_timeout = std::chrono::milliseconds(500);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, "", {}, context));
  const ViewColumns view = MakeTestView("v", {"a"}, Overwrite::kAlways);
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto zombie, store->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  // Only writes wait, so that the successor can log in and kill.
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"CLIENT", "PAUSE", "600000", "WRITE"}));
  ASSERT_TRUE(reply->IsStatus("OK"));
  BatchBuilder old_rows(view);
  for (int i = 0; i < 2000; ++i) old_rows.Row("key" + std::to_string(i), 5, {"zombie"});
  ASSERT_OK(zombie->Write(old_rows.Build(), RowSelection::All()));
  const auto outcomes = zombie->Flush();
  EXPECT_FAULT(Fault::kRemote, "stall_timeout", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  zombie.reset();
  ASSERT_OK_AND_ASSIGN(auto successor, store->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"CLIENT", "UNPAUSE"}));
  ASSERT_TRUE(reply->IsStatus("OK"));
  BatchBuilder new_rows(view);
  for (int i = 0; i < 10; ++i) new_rows.Row("key" + std::to_string(i), 6, {"successor"});
  ASSERT_OK(successor->Write(new_rows.Build(), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes written, successor->Flush());
  EXPECT_EQ(written.written, 10);
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"DBSIZE"}));
  EXPECT_EQ(reply->integer(), 10) << "a write of the zombie was executed";
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"HGET", "key3demo", FeatureField("v", "a")}));
  EXPECT_EQ(reply->text(), "successor");
  EXPECT_OK(store->ConfirmWritten());
}

TEST(RedisLiveTest, StrictSeesAWriteBetweenCheckAndWrite) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK(admin->Call({"HSET", "key0demo", "other", "x"}));
  ASSERT_OK(admin->Call({"WATCH", "key0demo"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  ViewColumns view = MakeTestView("v", {"a"});
  view.guard = Guard::kStrict;
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRows(store.get(), view, 200, 9));
  EXPECT_EQ(outcomes.written, 200);
  ASSERT_OK(admin->Call({"MULTI"}));
  ASSERT_OK(admin->Call({"HSET", "key0demo", "other", "y"}));
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"EXEC"}));
  EXPECT_EQ(reply->kind(), ReplyKind::kNil) << "our transaction touched the watched key";
  ASSERT_OK_AND_ASSIGN(const RowOutcomes older, WriteRows(store.get(), view, 200, 8));
  EXPECT_EQ(older.stale, 200);
}

TEST(RedisLiveTest, ConfirmsOnlyWhatAReplicaHas) {
  ASSERT_OK_AND_ASSIGN(const auto primary, LiveRedis::Start({"--repl-diskless-sync-delay", "0"}));
  ASSERT_OK_AND_ASSIGN(const auto replica, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto looking, replica->Connect());
  const std::string port = std::to_string(primary->port());
  ASSERT_OK(looking->Call({"REPLICAOF", "127.0.0.1", port}));
  OnlineStoreContext context;
  context.redis_wait_replicas = 1;
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*primary, "", {}, context));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK(WriteRows(store.get(), view, 10, 5));
  EXPECT_OK(store->ConfirmWritten());
  ASSERT_OK_AND_ASSIGN(const Reply* reply, looking->Call({"DBSIZE"}));
  EXPECT_EQ(reply->integer(), 10);
  context.stall_timeout = std::chrono::milliseconds(500);
  ASSERT_OK_AND_ASSIGN(const auto impatient, StoreOn(*primary, "", {}, context));
  ASSERT_OK(impatient->Prepare({}));
  kill(replica->pid(), SIGSTOP);
  ASSERT_OK(WriteRows(impatient.get(), view, 10, 6));
  EXPECT_FAULT(Fault::kRemote, "0 of 1", impatient->ConfirmWritten());
  kill(replica->pid(), SIGCONT);
}

TEST(RedisLiveTest, EvictedKeysAreNotConfirmed) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK(WriteRows(store.get(), view, 3000, 5));
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK(admin->Call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
  ASSERT_OK(admin->Call({"CONFIG", "SET", "maxmemory", "100"}));
  ASSERT_OK(admin->Call({"HSET", "another", "x", "y"}));
  EXPECT_FAULT(Fault::kRemote, "evicted", store->ConfirmWritten());
}

TEST(RedisLiveTest, AServerOutOfMemoryEndsTheRunAtTheSecondTry) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start({"--maxmemory", "100"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  const ViewColumns view = MakeTestView("v", {"a"});
  EXPECT_TRUE(IsRetryable(WriteRows(store.get(), view, 10, 5).status()));
  const auto again = WriteRows(store.get(), view, 10, 5);
  EXPECT_FAULT(Fault::kRemote, "OOM", again);
  EXPECT_FALSE(IsRetryable(again.status()));
}

TEST(RedisLiveTest, RemovesExactlyTheProjectsRows) {
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server));
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ViewColumns view = MakeTestView("v", {"a"});
  const std::string entity = KeyPrefix(view) + std::string("\4\0\0\0\1\0\0\0x", 9);
  for (const char* project : {"demo", "bardemo"}) {
    ViewColumns columns = view;
    columns.project = project;
    ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&columns, 1), 0));
    ASSERT_OK(
        writer->Write(BatchBuilder(columns).Row(entity, 5, {"x"}).Build(), RowSelection::All()));
    ASSERT_OK(writer->Flush());
  }
  const std::string old_feature = FeatureField("v", "gone");
  ASSERT_OK(admin->Call({"HSET", entity + "demo", old_feature, "y"}));
  ASSERT_OK(
      admin->Call({"SET", KeyPrefix(view) + std::string("\4\0\0\0\0\0\0\0", 8) + "demo", "s"}));
  ASSERT_OK(store->Remove(view));
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"EXISTS", entity + "demo"}));
  EXPECT_EQ(reply->integer(), 0) << "fields of former features go with the last view";
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"EXISTS", entity + "bardemo"}));
  EXPECT_EQ(reply->integer(), 1);
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"DBSIZE"}));
  EXPECT_EQ(reply->integer(), 2) << "a key of another type is not ours";
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Redis, OnlineStoreContract,
                         ::testing::Values(Redis("redis", true), Redis("redis_by_hset", false)),
                         StoreUnderTest::NameOf);

}  // namespace redis
}  // namespace banquet
