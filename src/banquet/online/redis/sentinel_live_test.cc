// A master, its replica and a sentinel, all real.

#include <functional>
#include <thread>

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/redis/live_redis.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/sentinel.h"

namespace banquet::redis {
namespace {

using std::chrono::seconds;

class SentinelLiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(master_, LiveRedis::Start());
    ASSERT_OK_AND_ASSIGN(
        replica_, LiveRedis::Start({"--replicaof", "127.0.0.1", std::to_string(master_->port()),
                                    "--repl-diskless-sync-delay", "0"}));
    ASSERT_OK_AND_ASSIGN(
        sentinel_,
        LiveRedis::Start({"--sentinel"}, "sentinel monitor cache 127.0.0.1 " +
                                             std::to_string(master_->port()) +
                                             " 1\nsentinel down-after-milliseconds cache 500\n"
                                             "sentinel failover-timeout cache 2000\n"));
    ASSERT_TRUE(Eventually([&] {
      auto connection = Plain(*sentinel_);
      const auto reply = connection->Call({"SENTINEL", "CKQUORUM", "cache"});
      if (!reply.ok() || (*reply)->IsError()) return false;
      const auto replicas = connection->Call({"SENTINEL", "REPLICAS", "cache"});
      return replicas.ok() && (*replicas)->size() > 1;
    }));
  }

  static bool Eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  // Without a login, which a sentinel does not take.
  static std::unique_ptr<Connection> Plain(const LiveRedis& server) {
    return Connection::Open({.address = {.host = "127.0.0.1", .port = server.port()},
                             .sentinels = {},
                             .master = {},
                             .logs_in = false})
        .ValueOrDie();
  }

  ConnectionSettings Settings(const std::string& master = "cache") const {
    return {.address = {},
            .sentinels = {{.host = "127.0.0.1", .port = 1},  // Down.
                          {.host = "127.0.0.1", .port = sentinel_->port()}},
            .master = master};
  }

  Result<std::unique_ptr<OnlineStore>> Store(const std::string& master = "cache") const {
    ConfigNode block{.kind = ConfigNode::Kind::kMap};
    const std::pair<std::string, std::string> entries[] = {
        {"redis_type", "redis_sentinel"},
        {"sentinel_master", master},
        {"connection_string", "127.0.0.1:1,127.0.0.1:" + std::to_string(sentinel_->port())}};
    for (const auto& [key, value] : entries) {
      block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
    }
    return MakeStore(block, {});
  }

  int MasterPort() const {
    const Result<ServerAddress> master = FindMaster(Settings());
    return master.ok() ? master->port : 0;
  }

  std::unique_ptr<LiveRedis> master_;
  std::unique_ptr<LiveRedis> replica_;
  std::unique_ptr<LiveRedis> sentinel_;
};

Result<RowOutcomes> WriteRow(OnlineWriter* writer, const ViewColumns& view,
                             const std::string& key) {
  BANQUET_RETURN_NOT_OK(writer->Write(BatchBuilder(view).Row(key, 1'000'000, {"value"}).Build(),
                                      RowSelection::All()));
  return writer->Flush();
}

TEST_F(SentinelLiveTest, TheMasterIsFoundAndAFailOverEndsTheRunAndNotTheNext) {
  EXPECT_EQ(MasterPort(), master_->port());
  ASSERT_OK_AND_ASSIGN(const auto store, Store());
  const ViewColumns view = MakeTestView("v", {"f"});
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteRow(writer.get(), view, "before"));
  EXPECT_EQ(outcomes.written, 1);
  ASSERT_OK(store->ConfirmWritten());
  {
    ASSERT_OK_AND_ASSIGN(auto connection, master_->Connect());
    ASSERT_OK(connection->Call({"WAIT", "1", "5000"}).status());
    const auto sentinel = Plain(*sentinel_);
    ASSERT_OK_AND_ASSIGN(const Reply* reply, sentinel->Call({"SENTINEL", "FAILOVER", "cache"}));
    EXPECT_TRUE(reply->IsStatus("OK")) << reply->text();
  }
  ASSERT_TRUE(Eventually([&] { return MasterPort() == replica_->port(); }));
  // The run that was under way: what the old master still acknowledges until it is a replica is
  // lost, so that nothing may be confirmed.
  const Result<RowOutcomes> during = WriteRow(writer.get(), view, "during");
  if (!during.ok()) EXPECT_FAULT(Fault::kRemote, "", during);
  EXPECT_FAULT(Fault::kRemote, "run_id changed", store->ConfirmWritten());
  // The next one.
  ASSERT_OK_AND_ASSIGN(const auto next, Store());
  ASSERT_TRUE(Eventually([&] { return next->Prepare(std::span(&view, 1)).ok(); }));
  ASSERT_OK_AND_ASSIGN(writer, next->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes again, WriteRow(writer.get(), view, "after"));
  EXPECT_EQ(again.written, 1);
  const std::vector<std::string> keys = {"before", "after"};
  ASSERT_OK_AND_ASSIGN(const StoredRows stored, next->Read(view, keys));
  EXPECT_TRUE(stored[0].has_value() && stored[1].has_value());
}

TEST_F(SentinelLiveTest, AMasterThatTheSentinelsDoNotKnowIsTheUsersToMend) {
  ASSERT_OK_AND_ASSIGN(const auto store, Store("nobody"));
  EXPECT_FAULT(Fault::kUser, "sentinel_master: nobody", store->Prepare({}));
}

TEST_F(SentinelLiveTest, WhereNoSentinelAnswersTheRunSaysSo) {
  const int port = sentinel_->port();
  sentinel_->Kill();
  ASSERT_OK_AND_ASSIGN(const auto store, Store());
  EXPECT_FAULT(Fault::kRemote, "127.0.0.1:" + std::to_string(port), store->Prepare({}));
}

TEST_F(SentinelLiveTest, AServerThatIsNoSentinelIsNoticed) {
  ConnectionSettings settings = Settings();
  settings.sentinels = {{.host = "127.0.0.1", .port = master_->port()}};
  EXPECT_FAULT(Fault::kRemote, "SENTINEL", FindMaster(settings));
}

}  // namespace
}  // namespace banquet::redis
