// Redirections and refusals of a cluster's nodes, by script.

#include <atomic>
#include <map>

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

constexpr int64_t kNoonUs = 1'700'000'000'000'000;

// "*1 [0, 16383, [host, port]]"
std::string AllSlotsAt(int port) {
  return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:" + std::to_string(port) + "\r\n";
}

// A cluster of one node, which answers as the test scripts it.
class ClusterScriptTest : public ::testing::Test {
 protected:
  void Serve(ScriptedServer::Script script) {
    server_ = std::make_unique<ScriptedServer>(
        [this, script = std::move(script)](const Received& received) -> std::optional<Answer> {
          if (auto answer = script(received)) return answer;
          if (received.words[0] != "CLUSTER") return std::nullopt;
          return Answer{.bytes = AllSlotsAt(server_->port())};
        });
    ConfigNode block{.kind = ConfigNode::Kind::kMap};
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"redis_type", "redis_cluster"},
             {"connection_string", "127.0.0.1:1,127.0.0.1:" + std::to_string(server_->port())}}) {
      block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
    }
    ASSERT_OK_AND_ASSIGN(store_, MakeStore(block, {.redis_restore = false}));
  }

  Result<std::unique_ptr<OnlineWriter>> Writer() {
    BANQUET_RETURN_NOT_OK(store_->Prepare(std::span(&view_, 1)));
    return store_->OpenWriter(std::span(&view_, 1), 0);
  }
  std::shared_ptr<const EncodedBatch> Rows(int rows) const {
    BatchBuilder builder(view_);
    for (int i = 0; i < rows; ++i) builder.Row("key" + std::to_string(i), kNoonUs, {"value"});
    return builder.Build();
  }

  ViewColumns view_ = MakeTestView("stats", {"a"});
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<OnlineStore> store_;
};

TEST_F(ClusterScriptTest, ARowThatIsRedirectedIsUndecidedAndTheMapIsAskedForAnew) {
  for (const char* error : {"MOVED 7 10.255.255.1:6379", "ASK 7 10.255.255.1:6379",
                            "TRYAGAIN Multiple keys", "CLUSTERDOWN The cluster is down"}) {
    for (const char* command : {"HMGET", "HSET"}) {
      for (const int nth : {1, 3, 5}) {
        Serve([&](const Received& received) -> std::optional<Answer> {
          if (received.words[0] != command || received.nth != nth) return std::nullopt;
          return Answer{.bytes = "-" + std::string(error) + "\r\n"};
        });
        ASSERT_OK_AND_ASSIGN(auto writer, Writer());
        const auto batch = Rows(5);
        ASSERT_OK(writer->Write(batch, RowSelection::All()));
        ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
        EXPECT_EQ(outcomes.written, 4) << error << " " << command << " " << nth;
        ASSERT_EQ(outcomes.undecided, std::vector<uint32_t>{static_cast<uint32_t>(nth - 1)});
        EXPECT_EQ(server_->CountOf("CLUSTER"), 1);
        ASSERT_OK(writer->Write(batch, RowSelection::Of(outcomes.undecided)));
        ASSERT_OK_AND_ASSIGN(const RowOutcomes rest, writer->Flush());
        EXPECT_EQ(rest.written, 1);
        EXPECT_EQ(server_->CountOf("CLUSTER"), 2);
      }
    }
  }
}

TEST_F(ClusterScriptTest, WhereNothingIsTakenTheReasonIsTold) {
  Serve([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HMGET") return std::nullopt;
    return Answer{.bytes = "-MOVED 7 10.255.255.1:6379\r\n"};
  });
  ASSERT_OK_AND_ASSIGN(auto writer, Writer());
  ASSERT_OK(writer->Write(Rows(3), RowSelection::All()));
  const auto outcomes = writer->Flush();
  EXPECT_FAULT(Fault::kRemote, "MOVED 7 10.255.255.1:6379", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
}

TEST_F(ClusterScriptTest, AReadFollowsTheMap) {
  int moved = 2;
  Serve([&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HMGET" || moved-- <= 0) return std::nullopt;
    return Answer{.bytes = "-MOVED 7 10.255.255.1:6379\r\n"};
  });
  const std::string key = "key";
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store_->Read(view_, std::span(&key, 1)));
  EXPECT_FALSE(rows[0].has_value());
  EXPECT_EQ(server_->CountOf("CLUSTER"), 3);
  moved = 100;
  EXPECT_FAULT(Fault::kRemote, "MOVED", store_->Read(view_, std::span(&key, 1)));
}

TEST_F(ClusterScriptTest, ASlotThatNobodyServesLeavesItsRowsUndecided) {
  Serve([&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "CLUSTER") return std::nullopt;
    return Answer{.bytes = "*1\r\n*3\r\n:0\r\n:0\r\n*2\r\n$9\r\n127.0.0.1\r\n:" +
                           std::to_string(server_->port()) + "\r\n"};
  });
  ASSERT_OK_AND_ASSIGN(auto writer, Writer());
  ASSERT_OK(writer->Write(Rows(3), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.undecided, (std::vector<uint32_t>{0, 1, 2}));
  const std::string key = "key";
  EXPECT_FAULT(Fault::kRemote, "nobody serves", store_->Read(view_, std::span(&key, 1)));
}

TEST_F(ClusterScriptTest, ADeadNodeDoesNotHoldUpTheNextWriter) {
  auto lost =
      std::make_unique<ScriptedServer>([](const Received& received) -> std::optional<Answer> {
        if (received.words[0] != "HSET") return std::nullopt;
        return Answer{.close = true};
      });
  std::atomic<int> lost_port = lost->port();
  Serve([&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "CLUSTER" || lost_port == 0) return std::nullopt;
    return Answer{.bytes = AllSlotsAt(lost_port)};
  });
  ASSERT_OK_AND_ASSIGN(auto writer, Writer());
  ASSERT_OK(writer->Write(Rows(3), RowSelection::All()));
  EXPECT_TRUE(IsRetryable(writer->Flush().status()));
  lost.reset();  // Before anybody has noticed: the map still names it.
  EXPECT_FAULT(Fault::kRemote, "Connection refused", store_->OpenWriter(std::span(&view_, 1), 0));
  lost_port = 0;
  ASSERT_OK_AND_ASSIGN(writer, store_->OpenWriter(std::span(&view_, 1), 0));
  ASSERT_OK(writer->Write(Rows(3), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.written, 3);
  // What the dead one acknowledged before may be lost.
  EXPECT_FAULT(Fault::kRemote, "Connection refused", store_->ConfirmWritten());
}

TEST_F(ClusterScriptTest, AServerWithoutAClusterIsTheUsersToMend) {
  Serve([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "CLUSTER") return std::nullopt;
    return Answer{.bytes = "-ERR This instance has cluster support disabled\r\n"};
  });
  EXPECT_FAULT(Fault::kUser, "set redis_type: redis", store_->Prepare({}));
}

TEST_F(ClusterScriptTest, WhereNoNodeAnswersTheRunSaysSo) {
  Serve([](const Received&) { return std::nullopt; });
  server_.reset();
  EXPECT_FAULT(Fault::kRemote, "Connection refused", store_->Prepare({}));
}

}  // namespace
}  // namespace banquet::redis
