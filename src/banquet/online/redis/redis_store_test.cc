#include "banquet/online/redis/redis_store.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet {
// The suite runs in redis_store_live_test.cc; this program only borrows its batches.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OnlineStoreContract);
}  // namespace banquet

namespace banquet::redis {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "canary-5ecret";
constexpr int kRows = 2500;  // Three chunks.

ConfigNode BlockOf(const std::vector<std::pair<std::string, std::string>>& entries) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : entries) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  return block;
}

OnlineStoreContext PatientContext() {
  OnlineStoreContext context;
  context.connect_timeout = milliseconds(20'000);
  context.stall_timeout = milliseconds(20'000);
  return context;
}

Result<std::unique_ptr<OnlineStore>> StoreOn(int port, const std::string& parameters = "",
                                             OnlineStoreContext context = PatientContext()) {
  return MakeStore(
      BlockOf({{"connection_string", "127.0.0.1:" + std::to_string(port) + parameters}}), context);
}

std::shared_ptr<const EncodedBatch> BatchOf(const ViewColumns& view, int rows) {
  BatchBuilder builder(view);
  for (int i = 0; i < rows; ++i) builder.Row("key" + std::to_string(i), 1000 + i, {"value"});
  return builder.Build();
}

// Prepares, writes the rows once and flushes.
Result<RowOutcomes> WriteOnce(OnlineStore* store, const ViewColumns& view, int rows) {
  BANQUET_RETURN_NOT_OK(store->Prepare(std::span(&view, 1)));
  BANQUET_ASSIGN_OR_RETURN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  BANQUET_RETURN_NOT_OK(writer->Write(BatchOf(view, rows), RowSelection::All()));
  return writer->Flush();
}

ScriptedServer::Script AnswerTo(const std::string& command, int nth, Answer answer) {
  return [=](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != command || received.nth != nth) return std::nullopt;
    return answer;
  };
}

TEST(RedisStoreTest, RefusesWhatThisVersionDoesNotSupport) {
  EXPECT_FAULT(Fault::kUser, "exclude each other",
               MakeStore(BlockOf({{"redis_type", "redis_cluster"},
                                  {"connection_string", "unix_socket_path=/s"}}),
                         {}));
  EXPECT_FAULT(Fault::kUser, "exclude each other",
               MakeStore(BlockOf({{"redis_type", "redis_sentinel"},
                                  {"connection_string", "unix_socket_path=/s"}}),
                         {}));
  EXPECT_FAULT(Fault::kUser, "key_ttl_seconds",
               MakeStore(BlockOf({{"key_ttl_seconds", "-1"}}), {}));
  EXPECT_FAULT(Fault::kUser, "connection_sting",
               MakeStore(BlockOf({{"connection_sting", "h:1"}}), {}));
  const auto store =
      MakeStore(BlockOf({{"connection_string", std::string("nohost,password=") + kSecret}}), {});
  EXPECT_FAULT(Fault::kUser, "host:port", store);
  EXPECT_THAT(store.status().message(), Not(HasSubstr(kSecret)));
}

TEST(RedisStoreTest, AcceptsEveryKeyOfFeast) {
  ASSERT_OK_AND_ASSIGN(
      const auto store,
      MakeStore(BlockOf({{"type", "redis"},
                         {"redis_type", "redis"},
                         {"connection_string", "h:1,db=4,password=secret,socket_timeout=3"},
                         {"sentinel_master", "x"},
                         {"key_ttl_seconds", "0"},
                         {"full_scan_for_deletion", "false"},
                         {"skip_dedup", "true"},
                         {"client", "glide"}}),
                {}));
  EXPECT_EQ(store->type(), "redis");
  EXPECT_EQ(store->Describe(), "redis at h:1/4");
  EXPECT_EQ(store->needs().lanes, 1);
}

TEST(RedisStoreTest, ReadsRepliesInSlicesOfOneByte) {
  ScriptedServer server(nullptr, 1);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), view, 50));
  EXPECT_EQ(outcomes.written, 50);
  EXPECT_GT(outcomes.bytes, 50 * 60);
  EXPECT_OK(store->ConfirmWritten());
  EXPECT_EQ(server.CountOf("HSET"), 50);
}

TEST(RedisStoreTest, ChecksChunksAheadOfTheWritesBeforeThem) {
  ScriptedServer server(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                       WriteOnce(store.get(), MakeTestView("v", {"a"}), 2 * kRows));
  EXPECT_EQ(outcomes.written, 2 * kRows);
  std::string order;
  for (const Received& received : server.received()) {
    const std::string& name = received.words[0];
    if (name != "HMGET" && name != "HSET") continue;
    const char mark = name == "HMGET" ? 'c' : 'w';
    if (order.empty() || order.back() != mark) order += mark;
  }
  EXPECT_EQ(order, "cwcw") << "checks 1 to 3, writes 1 to 3, checks 4 and 5, writes 4 and 5";
}

// Every rule of the table, at the first, a middle and the last command of check and write.
TEST(RedisStoreTest, ErrorRepliesMeanWhatTheTableSays) {
  constexpr int kTableRows = 60;
  const ViewColumns view = MakeTestView("v", {"a"});
  for (const ReplyRule& rule : ReplyRules()) {
    const std::string error = std::string(rule.code) + " says the server";
    for (const std::string command : {"HMGET", "HSET"}) {
      for (const int nth : {1, kTableRows / 2, kTableRows}) {
        SCOPED_TRACE(error + " at " + command + " " + std::to_string(nth));
        ScriptedServer server(AnswerTo(command, nth, {.bytes = "-" + error + "\r\n"}));
        ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
        const Result<RowOutcomes> outcomes = WriteOnce(store.get(), view, kTableRows);
        if (rule.fate == ReplyFate::kAgain) {
          ASSERT_OK(outcomes);
          EXPECT_EQ(outcomes->written, kTableRows - 1);
          EXPECT_EQ(outcomes->undecided, std::vector<uint32_t>{static_cast<uint32_t>(nth - 1)});
          continue;
        }
        const bool is_users = rule.fate == ReplyFate::kUser || rule.fate == ReplyFate::kMoved;
        EXPECT_FAULT(is_users ? Fault::kUser : Fault::kRemote, command, outcomes);
        EXPECT_EQ(IsRetryable(outcomes.status()),
                  rule.fate == ReplyFate::kReconnect || rule.fate == ReplyFate::kMemory);
        EXPECT_THAT(outcomes.status().message(), HasSubstr("redis at 127.0.0.1:"));
        EXPECT_THAT(outcomes.status().message(), HasSubstr(std::string(rule.advice)));
      }
    }
  }
}

TEST(RedisStoreTest, ARefusalInTheLastChunkIsOfItsRow) {
  for (const std::string command : {"HMGET", "HSET"}) {
    ScriptedServer server(AnswerTo(command, kRows, {.bytes = "-BUSY a script\r\n"}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                         WriteOnce(store.get(), MakeTestView("v", {"a"}), kRows));
    EXPECT_EQ(outcomes.written, kRows - 1);
    EXPECT_EQ(outcomes.undecided, std::vector<uint32_t>{kRows - 1});
  }
}

TEST(RedisStoreTest, RuleCodesAreWholeWords) {
  EXPECT_EQ(RuleOf("BUSY Redis is busy").fate, ReplyFate::kAgain);
  EXPECT_EQ(RuleOf("BUSYKEY Target key name already exists").fate, ReplyFate::kFatal);
  EXPECT_EQ(RuleOf("LOADINGS").fate, ReplyFate::kFatal);
  EXPECT_EQ(RuleOf("ERR max number of clients reached").fate, ReplyFate::kReconnect);
  EXPECT_EQ(RuleOf("ERR unknown command").fate, ReplyFate::kFatal);
  EXPECT_EQ(RuleOf("").fate, ReplyFate::kFatal);
}

TEST(RedisStoreTest, ErrorsRepeatNoArgumentsAndNoControlBytes) {
  const Status status = ErrorOfReply("ERR unknown command 'HSET', with args beginning with: row",
                                     "redis at h:1/0", "HSET");
  EXPECT_EQ(status.message(), "redis at h:1/0 refused HSET: ERR unknown command 'HSET'");
  EXPECT_THAT(ErrorOfReply("ERR \x1b[31m\xff", "h", "X").message(), HasSubstr("ERR ?[31m?"));
}

TEST(RedisStoreTest, TellsWhyWhenEveryRowIsRefusedForNow) {
  ScriptedServer server([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HMGET") return std::nullopt;
    return Answer{.bytes = "-LOADING Redis is loading the dataset in memory\r\n"};
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const auto outcomes = WriteOnce(store.get(), MakeTestView("v", {"a"}), 10);
  EXPECT_FAULT(Fault::kRemote, "LOADING", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  EXPECT_EQ(server.CountOf("HSET"), 0);
}

TEST(RedisStoreTest, AsksAServerOutOfMemoryOnceMore) {
  bool full = true;
  ScriptedServer server([&full](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HSET" || !full) return std::nullopt;
    return Answer{.bytes = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"};
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  const auto first = WriteOnce(store.get(), view, 1);
  EXPECT_FAULT(Fault::kRemote, "maxmemory", first);
  EXPECT_TRUE(IsRetryable(first.status()));
  EXPECT_GT(RetryAfterOf(first.status()).count(), 0);
  const auto second = WriteOnce(store.get(), view, 1);
  EXPECT_FAULT(Fault::kRemote, "maxmemory", second);
  EXPECT_FALSE(IsRetryable(second.status()));
  full = false;
  EXPECT_OK(WriteOnce(store.get(), view, 1));
  full = true;
  EXPECT_TRUE(IsRetryable(WriteOnce(store.get(), view, 1).status()));
}

TEST(RedisStoreTest, NamesTheKeyOfAWrongType) {
  ScriptedServer server(AnswerTo("HSET", 2, {.bytes = "-WRONGTYPE Operation against a key\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  EXPECT_FAULT(Fault::kUser, HexOf("key1demo"),
               WriteOnce(store.get(), MakeTestView("v", {"a"}), 3));
}

TEST(RedisStoreTest, NamesTheKeyOfADamagedTime) {
  ScriptedServer server(AnswerTo("HMGET", 2, {.bytes = "*1\r\n$1\r\n\x08\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  EXPECT_FAULT(Fault::kData, HexOf("key1demo"), WriteOnce(store.get(), view, 3));
  const std::vector<std::string> keys = {"x"};
  ScriptedServer damaged(AnswerTo("HMGET", 1, {.bytes = "*2\r\n$1\r\nv\r\n$1\r\n\x08\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto other, StoreOn(damaged.port()));
  EXPECT_FAULT(Fault::kData, HexOf("xdemo"), other->Read(view, keys));
}

TEST(RedisStoreTest, RefusesRepliesOfOtherShapes) {
  const ViewColumns view = MakeTestView("v", {"a"});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HMGET", "+OK\r\n"},          {"HMGET", "*2\r\n$-1\r\n$-1\r\n"},
      {"HMGET", "*1\r\n:5\r\n"},     {"HMGET", "*1\r\n*0\r\n"},
      {"HSET", "+OK\r\n"},           {"HSET", "$-1\r\n"},
      {"HSET", "HTTP/1.1\r\n"},      {"HMGET", "*2147483647\r\n"},
      {"HSET", "$999999999999\r\n"},
  };
  for (const auto& [command, bytes] : cases) {
    SCOPED_TRACE(command + " " + bytes);
    ScriptedServer server(AnswerTo(command, 2, {.bytes = bytes}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    const auto outcomes = WriteOnce(store.get(), view, 3);
    EXPECT_FAULT(Fault::kRemote, "redis at", outcomes);
    EXPECT_FALSE(IsRetryable(outcomes.status()));
  }
}

TEST(RedisStoreTest, AServerThatHangsUpInAReplyIsWorthAnotherTry) {
  const ViewColumns view = MakeTestView("v", {"a"});
  for (const std::string command : {"HMGET", "HSET"}) {
    for (const std::string bytes : {"", ":", "*1\r\n$", "*1\r\n$5\r\nab", ":1\r"}) {
      SCOPED_TRACE(command + " " + bytes);
      ScriptedServer server(AnswerTo(command, 7, {.bytes = bytes, .close = true}));
      ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
      const auto outcomes = WriteOnce(store.get(), view, 20);
      EXPECT_FAULT(Fault::kRemote, "redis at 127.0.0.1:", outcomes);
      EXPECT_TRUE(IsRetryable(outcomes.status()));
      ASSERT_OK_AND_ASSIGN(const RowOutcomes again, WriteOnce(store.get(), view, 20));
      EXPECT_EQ(again.written, 20);
      EXPECT_EQ(server.CountOf("CLIENT"), command == "HSET" ? 9 : 8)
          << "name and number of four connections, and the end of one that may still write";
    }
  }
}

TEST(RedisStoreTest, AStalledWriterIsEndedBeforeTheNextOneWrites) {
  ScriptedServer server(AnswerTo("HSET", 3, {.bytes = "", .silence = true}));
  OnlineStoreContext context = PatientContext();
  context.stall_timeout = milliseconds(500);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
  const ViewColumns view = MakeTestView("v", {"a"});
  const auto outcomes = WriteOnce(store.get(), view, 20);
  EXPECT_FAULT(Fault::kRemote, "stall_timeout", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  EXPECT_OK(WriteOnce(store.get(), view, 20));
  int killed_at = -1;
  int writes_before = 0;
  const std::vector<Received> received = server.received();
  for (int i = 0; i < static_cast<int>(received.size()); ++i) {
    if (received[i].words == Words{"CLIENT", "KILL", "ID", "102"}) killed_at = i;
    if (received[i].words[0] == "HSET" && received[i].connection > 2 && killed_at < 0) {
      ++writes_before;
    }
  }
  EXPECT_GE(killed_at, 0) << "the second connection was the stalled writer's";
  EXPECT_EQ(writes_before, 0);
}

TEST(RedisStoreTest, WithoutTheRightToEndALostWriterTheRunFails) {
  const ViewColumns view = MakeTestView("v", {"a"});
  for (const std::string refused : {"ID", "KILL"}) {
    SCOPED_TRACE(refused);
    ScriptedServer server([refused](const Received& received) -> std::optional<Answer> {
      if (received.words[0] == "HSET" && received.nth == 3) return Answer{.close = true};
      if (received.words[0] != "CLIENT" || received.words[1] != refused) return std::nullopt;
      return Answer{.bytes = "-NOPERM this user has no permissions\r\n"};
    });
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    EXPECT_TRUE(IsRetryable(WriteOnce(store.get(), view, 20).status()));
    const auto again = WriteOnce(store.get(), view, 20);
    EXPECT_FAULT(Fault::kRemote, "late writes", again);
    EXPECT_FALSE(IsRetryable(again.status()));
    EXPECT_FAULT(Fault::kRemote, "late writes", store->ConfirmWritten());
  }
}

// What a store logs at its end, after a run that lost its server in the middle. `lost` is called in
// between.
std::string LastWordOf(std::unique_ptr<ScriptedServer>* server, const std::function<void()>& lost) {
  auto store = StoreOn((*server)->port());
  EXPECT_OK(store);
  const auto outcomes = WriteOnce(store->get(), MakeTestView("v", {"a"}), 20);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  lost();
  ::testing::internal::CaptureStderr();
  store->reset();
  return ::testing::internal::GetCapturedStderr();
}

TEST(RedisStoreTest, TheLastWordIsOfWhatBecameOfTheServer) {
  std::atomic<bool> restarted = false;
  std::atomic<bool> refuses = false;
  const ScriptedServer::Script script = [&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] == "HSET" && received.nth == 3) return Answer{.close = true};
    if (received.words[0] == "INFO" && restarted) {
      return Answer{.bytes = ScriptedServer::Bulk("run_id:another\r\nevicted_keys:0\r\n")};
    }
    if (received.words[0] == "CLIENT" && received.words[1] == "KILL" && refuses) {
      return Answer{.bytes = "-NOPERM no\r\n"};
    }
    return std::nullopt;
  };
  auto server = std::make_unique<ScriptedServer>(script);
  EXPECT_EQ(LastWordOf(&server, [] {}), "");
  server = std::make_unique<ScriptedServer>(script);
  EXPECT_THAT(LastWordOf(&server, [&] { server.reset(); }),
              AllOf(HasSubstr("is down"), HasSubstr("run the command again"),
                    Not(HasSubstr("late writes"))));
  server = std::make_unique<ScriptedServer>(script);
  EXPECT_EQ(LastWordOf(&server, [&] { restarted = true; }), "") << "its connections ended with it";
  EXPECT_EQ(server->CountOf("CLIENT"), 6) << "none is killed whose number is another's now";
  restarted = false;
  server = std::make_unique<ScriptedServer>(script);
  EXPECT_THAT(LastWordOf(&server, [&] { refuses = true; }),
              AllOf(HasSubstr("late writes"), HasSubstr("CLIENT LIST")));
}

TEST(RedisStoreTest, AServerThatChangedIsNotConfirmed) {
  std::string run_id = "one";
  std::string evicted = "0";
  ScriptedServer server([&](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "INFO") return std::nullopt;
    return Answer{
        .bytes = ScriptedServer::Bulk("run_id:" + run_id + "\r\nevicted_keys:" + evicted + "\r\n")};
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK(WriteOnce(store.get(), view, 1));
  ASSERT_OK(store->ConfirmWritten());
  evicted = "3";
  EXPECT_FAULT(Fault::kRemote, "from 0 to 3", store->ConfirmWritten());
  run_id = "two";
  EXPECT_FAULT(Fault::kRemote, "run_id", store->ConfirmWritten());
  EXPECT_FAULT(Fault::kRemote, "run_id", store->OpenWriter(std::span(&view, 1), 0));
  EXPECT_FAULT(Fault::kRemote, "run_id", store->Prepare({}));
}

TEST(RedisStoreTest, AServerWithoutInfoIsNotWatched) {
  ScriptedServer server([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "INFO") return std::nullopt;
    return Answer{.bytes = "-NOPERM this user has no permissions to run the 'info' command\r\n"};
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  EXPECT_OK(WriteOnce(store.get(), MakeTestView("v", {"a"}), 1));
  EXPECT_OK(store->ConfirmWritten());
}

TEST(RedisStoreTest, WaitsForReplicas) {
  ScriptedServer server(nullptr);  // Of its three replicas one has all.
  OnlineStoreContext context = PatientContext();
  context.redis_wait_replicas = 1;
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
  ASSERT_OK(store->Prepare({}));
  EXPECT_OK(store->ConfirmWritten());
  context.redis_wait_replicas = 2;
  context.stall_timeout = milliseconds(300);
  ASSERT_OK_AND_ASSIGN(const auto greedy, StoreOn(server.port(), "", context));
  ASSERT_OK(greedy->Prepare({}));
  EXPECT_FAULT(Fault::kRemote, "1 of 2", greedy->ConfirmWritten());
}

TEST(RedisStoreTest, AStopEndsTheWaitForReplicas) {
  ScriptedServer server(nullptr);
  std::stop_source stop;
  OnlineStoreContext context = PatientContext();
  context.redis_wait_replicas = 2;
  context.stop = stop.get_token();
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
  ASSERT_OK(store->Prepare({}));
  const std::jthread stopping([&stop] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  EXPECT_FAULT(Fault::kCancelled, "", store->ConfirmWritten());
}

// What is wanted is where the server was at the end of our writes, whatever others write meanwhile.
TEST(RedisStoreTest, AReplicaThatCatchesUpIsWaitedFor) {
  int looks = 0;
  ScriptedServer server([&looks](const Received& received) -> std::optional<Answer> {
    if (received.words != Words{"INFO", "replication"}) return std::nullopt;
    const int confirmed = 90 + 5 * looks++;
    return Answer{.bytes = ScriptedServer::Bulk(
                      fmt::format("slave0:ip=h,port=1,state=online,offset={},lag=0\r\n"
                                  "master_repl_offset:{}\r\n",
                                  confirmed, 100 + looks))};
  });
  OnlineStoreContext context = PatientContext();
  context.redis_wait_replicas = 1;
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
  ASSERT_OK(store->Prepare({}));
  EXPECT_OK(store->ConfirmWritten());
  EXPECT_EQ(looks, 4);
}

TEST(RedisStoreTest, AServerThatDoesNotTellOfReplicasConfirmsNone) {
  for (const std::string& bytes :
       {std::string("-NOPERM no\r\n"), ScriptedServer::Bulk("x:y\r\n"), std::string(":1\r\n")}) {
    ScriptedServer server([&bytes](const Received& received) -> std::optional<Answer> {
      if (received.words != Words{"INFO", "replication"}) return std::nullopt;
      return Answer{.bytes = bytes};
    });
    OnlineStoreContext context = PatientContext();
    context.redis_wait_replicas = 1;
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
    ASSERT_OK(store->Prepare({}));
    EXPECT_FALSE(store->ConfirmWritten().ok()) << bytes;
  }
}

TEST(RedisStoreTest, LogsInAndNeverShowsTheSecret) {
  ScriptedServer server(nullptr);
  const std::string login = std::string(",db=3,username=feast,password=") + kSecret;
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), login));
  ASSERT_OK(store->Prepare({}));
  const std::vector<Received> received = server.received();
  EXPECT_EQ(received[0].words, (Words{"AUTH", "feast", kSecret}));
  EXPECT_EQ(received[1].words, (Words{"SELECT", "3"}));
  for (const std::string& error :
       {std::string("WRONGPASS invalid pair"), std::string("NOAUTH x"),
        std::string("ERR unknown command `AUTH`, with args beginning with: `") + kSecret,
        std::string("ERR invalid password ") + kSecret,
        std::string("ERR AUTH called without any password configured ") + kSecret}) {
    ScriptedServer refusing(AnswerTo("AUTH", 1, {.bytes = "-" + error + "\r\n"}));
    ASSERT_OK_AND_ASSIGN(const auto refused, StoreOn(refusing.port(), login));
    const Status status = refused->Prepare({});
    EXPECT_FAULT(Fault::kUser, "connection_string", status);
    EXPECT_THAT(status.ToString(), Not(HasSubstr(kSecret)));
    EXPECT_THAT(refused->Describe(), Not(HasSubstr(kSecret)));
  }
}

TEST(RedisStoreTest, TellsWhatKeepsItOut) {
  const std::vector<std::pair<std::string, Fault>> cases = {
      {"NOAUTH Authentication required.", Fault::kUser},
      {"ERR DB index is out of range", Fault::kUser},
      {"ERR max number of clients reached", Fault::kRemote},
      {"LOADING Redis is loading", Fault::kRemote},
  };
  for (const auto& [error, fault] : cases) {
    ScriptedServer server(AnswerTo("SELECT", 1, {.bytes = "-" + error + "\r\n", .close = true}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), ",db=1"));
    EXPECT_FAULT(fault, error, store->Prepare({}));
  }
  ScriptedServer silent(AnswerTo("SELECT", 1, {.silence = true}));
  OnlineStoreContext context = PatientContext();
  context.connect_timeout = milliseconds(200);
  ASSERT_OK_AND_ASSIGN(const auto stalled, StoreOn(silent.port(), "", context));
  EXPECT_FAULT(Fault::kRemote, "connect_timeout", stalled->Prepare({}));
}

TEST(RedisStoreTest, AServerThatIsNotThereFailsAtOnce) {
  int port = 0;
  {
    ScriptedServer server(nullptr);
    port = server.port();
  }
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(port));
  EXPECT_FAULT(Fault::kRemote, "refused", store->Prepare({}));
  ASSERT_OK_AND_ASSIGN(
      const auto nowhere,
      MakeStore(BlockOf({{"connection_string", "no.such.host.invalid:1"}}), PatientContext()));
  EXPECT_FAULT(Fault::kRemote, "no.such.host.invalid", nowhere->Prepare({}));
}

TEST(RedisStoreTest, StopEndsAWaitEarly) {
  std::stop_source stop;
  ScriptedServer server([&stop](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HMGET") return std::nullopt;
    stop.request_stop();
    return Answer{.silence = true};
  });
  OnlineStoreContext context = PatientContext();
  context.stall_timeout = milliseconds(60'000);
  context.stop = stop.get_token();
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), "", context));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FAULT(Fault::kCancelled, "", WriteOnce(store.get(), MakeTestView("v", {"a"}), 5));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(RedisStoreTest, ExpiresTheHashAfterEachWrite) {
  ScriptedServer server(AnswerTo("EXPIRE", 2, {.bytes = ":0\r\n"}));
  ASSERT_OK_AND_ASSIGN(
      const auto store,
      MakeStore(BlockOf({{"connection_string", "127.0.0.1:" + std::to_string(server.port())},
                         {"key_ttl_seconds", "77"}}),
                PatientContext()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                       WriteOnce(store.get(), MakeTestView("v", {"a"}), 3));
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_EQ(outcomes.undecided, std::vector<uint32_t>{1}) << "its key vanished before EXPIRE";
  std::vector<Words> expires;
  for (const Received& received : server.received()) {
    if (received.words[0] == "EXPIRE") expires.push_back(received.words);
  }
  ASSERT_EQ(expires.size(), 3U);
  EXPECT_EQ(expires[0], (Words{"EXPIRE", "key0demo", "77"}));
}

// Feast leaves an equal row and its time to live alone; but a row of ours whose EXPIRE was lost
// would live forever.
TEST(RedisStoreTest, AnEqualRowWhoseExpireWasLostExpiresAfterTheRetry) {
  std::map<std::string, std::string> stored;  // By key: the time.
  std::set<std::string> mortal;
  ScriptedServer server([&](const Received& received) -> std::optional<Answer> {
    const std::string& name = received.words[0];
    const std::string key = received.words.size() > 1 ? received.words[1] : "";
    if (name == "HMGET" && stored.contains(key)) {
      return Answer{.bytes = "*1\r\n" + ScriptedServer::Bulk(stored[key])};
    }
    if (name == "HSET") {
      stored[key] = received.words[3];
      if (received.nth == 3) return Answer{.bytes = ":1\r\n", .close = true};
    }
    if (name == "EXPIRE") mortal.insert(key);
    if (name == "TTL") {
      return Answer{.bytes = mortal.contains(key) ? ":7\r\n" : ":-1\r\n"};
    }
    return std::nullopt;
  });
  ASSERT_OK_AND_ASSIGN(
      const auto store,
      MakeStore(BlockOf({{"connection_string", "127.0.0.1:" + std::to_string(server.port())},
                         {"key_ttl_seconds", "77"}}),
                PatientContext()));
  const ViewColumns view = MakeTestView("v", {"a"}, Overwrite::kFeast);
  EXPECT_TRUE(IsRetryable(WriteOnce(store.get(), view, 5).status()));
  EXPECT_EQ(mortal, (std::set<std::string>{"key0demo", "key1demo"}));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), view, 5));
  EXPECT_EQ(outcomes.unchanged, 3);
  EXPECT_EQ(outcomes.written, 2);
  EXPECT_EQ(mortal.size(), 5U);
  EXPECT_EQ(server.CountOf("EXPIRE"), 5) << "an equal row that expires is left alone";
  EXPECT_EQ(server.CountOf("HSET"), 5);
}

TEST(RedisStoreTest, TakesEveryReplyToTtl) {
  struct Case {
    std::string reply;
    int64_t unchanged = 0;
    int expires = 0;
  };
  for (const Case& of : {Case{":5\r\n", 3, 0}, Case{":-1\r\n", 3, 1}, Case{":-2\r\n", 2, 0},
                         Case{"-BUSY x\r\n", 2, 0}, Case{"-NOPERM x\r\n", 3, 1}}) {
    SCOPED_TRACE(of.reply);
    ScriptedServer server([&of](const Received& received) -> std::optional<Answer> {
      const std::string& name = received.words[0];
      if (name == "TTL") return Answer{.bytes = received.nth == 2 ? of.reply : ":9\r\n"};
      if (name != "HMGET") return std::nullopt;
      char time[kTimestampBytesMax];
      const char* end = PutTimestamp(time, 1000 + received.nth - 1);
      return Answer{.bytes =
                        "*1\r\n" + ScriptedServer::Bulk({static_cast<const char*>(time), end})};
    });
    ASSERT_OK_AND_ASSIGN(
        const auto store,
        MakeStore(BlockOf({{"connection_string", "127.0.0.1:" + std::to_string(server.port())},
                           {"key_ttl_seconds", "77"}}),
                  PatientContext()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                         WriteOnce(store.get(), MakeTestView("v", {"a"}, Overwrite::kFeast), 3));
    EXPECT_EQ(outcomes.unchanged, of.unchanged);
    EXPECT_EQ(outcomes.undecided.size(), static_cast<size_t>(3 - of.unchanged));
    EXPECT_EQ(server.CountOf("EXPIRE"), of.expires);
  }
}

TEST(RedisStoreTest, AChunkOfManyFeaturesHasFewRows) {
  std::vector<std::string> features;
  for (int i = 0; i < 1000; ++i) features.push_back("f" + std::to_string(i));
  const ViewColumns view = MakeTestView("v", features);
  BatchBuilder builder(view);
  const std::vector<std::string> nulls(features.size());
  for (int i = 0; i < 1000; ++i) builder.Row("key" + std::to_string(i), 1000 + i, nulls);
  int checks_first = 0;
  ScriptedServer server([&checks_first](const Received& received) -> std::optional<Answer> {
    if (received.words[0] == "HMGET") checks_first = std::max(checks_first, received.nth);
    // No more checks than these are sent before the first write.
    if (received.words[0] == "HSET" && received.nth == 1) return Answer{.close = true};
    return std::nullopt;
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(const auto writer, store->OpenWriter(std::span(&view, 1), 0));
  Status status = writer->Write(builder.Build(), RowSelection::All());
  if (status.ok()) status = writer->Flush().status();
  EXPECT_FALSE(status.ok());
  EXPECT_GT(checks_first, 600);
  EXPECT_LT(checks_first, 1000) << "three chunks of at most four megabytes";
}

ViewColumns StrictView() {
  ViewColumns view = MakeTestView("v", {"a"});
  view.guard = Guard::kStrict;
  return view;
}

TEST(RedisStoreTest, StrictWritesInTransactions) {
  ScriptedServer server(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), StrictView(), 300));
  EXPECT_EQ(outcomes.written, 300);
  EXPECT_EQ(server.CountOf("WATCH"), 3);
  EXPECT_EQ(server.CountOf("EXEC"), 3);
}

TEST(RedisStoreTest, AConflictLeavesTheGroupUndecided) {
  ScriptedServer server(AnswerTo("EXEC", 2, {.bytes = "*-1\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), StrictView(), 300));
  EXPECT_EQ(outcomes.written, 175);
  EXPECT_EQ(outcomes.undecided.size(), 125U);
  EXPECT_EQ(outcomes.undecided.front(), 125U);
}

TEST(RedisStoreTest, StrictTakesRefusalsAtEveryCommand) {
  const std::string busy = "-BUSY Redis is busy running a script\r\n";
  const std::string oops = "-ERR something\r\n";
  for (const std::string command : {"WATCH", "HMGET", "MULTI", "HSET", "EXEC"}) {
    SCOPED_TRACE(command);
    ScriptedServer server(AnswerTo(command, 1, {.bytes = busy}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    const auto outcomes = WriteOnce(store.get(), StrictView(), 130);
    if (command == "HSET") continue;  // Only a real server aborts; see EXECABORT below.
    ASSERT_OK(outcomes);
    EXPECT_EQ(outcomes->undecided.size(), command == "HMGET" ? 1U : 125U);
    EXPECT_EQ(outcomes->written, command == "HMGET" ? 129 : 5);
    ScriptedServer broken(AnswerTo(command, 1, {.bytes = oops}));
    ASSERT_OK_AND_ASSIGN(const auto other, StoreOn(broken.port()));
    const auto failed = WriteOnce(other.get(), StrictView(), 130);
    EXPECT_FAULT(Fault::kRemote, command, failed);
    EXPECT_FALSE(IsRetryable(failed.status()));
  }
}

TEST(RedisStoreTest, AnAbortedTransactionIsAsItsCause) {
  for (const std::string cause : {"BUSY x", "OOM x"}) {
    ScriptedServer server([cause](const Received& received) -> std::optional<Answer> {
      if (received.words[0] == "HSET" && received.nth == 4) {
        return Answer{.bytes = "-" + cause + "\r\n"};
      }
      if (received.words[0] != "EXEC" || received.nth != 1) return std::nullopt;
      return Answer{.bytes = "-EXECABORT Transaction discarded because of previous errors.\r\n"};
    });
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    const auto outcomes = WriteOnce(store.get(), StrictView(), 10);
    EXPECT_FAULT(Fault::kRemote, cause, outcomes);
    EXPECT_TRUE(IsRetryable(outcomes.status()));
  }
}

TEST(RedisStoreTest, AWriterIsDeadAfterAnError) {
  ScriptedServer server(AnswerTo("HSET", 1, {.bytes = "-MISCONF x\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK_AND_ASSIGN(const auto writer, store->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK(writer->Write(BatchOf(view, 1), RowSelection::All()));
  EXPECT_FAULT(Fault::kRemote, "MISCONF", writer->Flush());
  EXPECT_FAULT(Fault::kRemote, "MISCONF", writer->Flush());
  EXPECT_FAULT(Fault::kRemote, "MISCONF", writer->Write(BatchOf(view, 1), RowSelection::All()));
}

TEST(RedisStoreTest, ABatchOfOtherViewsIsABug) {
  ScriptedServer server(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  ASSERT_OK_AND_ASSIGN(const auto writer, store->OpenWriter(std::span(&view, 1), 0));
  EXPECT_FAULT(Fault::kBug, "views",
               writer->Write(std::make_shared<EncodedBatch>(), RowSelection::All()));
}

TEST(RedisStoreTest, ReadsAgainWhereAKeptConnectionWasClosed) {
  ScriptedServer server([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HMGET" || received.nth != 2) return std::nullopt;
    return Answer{.close = true};
  });
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = MakeTestView("v", {"a"});
  const std::vector<std::string> keys = {"x"};
  ASSERT_OK(store->Read(view, keys));
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store->Read(view, keys));
  EXPECT_FALSE(rows[0].has_value());
}

TEST(RedisStoreTest, ReadAndRemoveTellRefusals) {
  const ViewColumns view = MakeTestView("v", {"a"});
  const std::vector<std::string> keys = {"x"};
  const std::string key = KeyPrefix(view) + std::string("\x04\0\0\0\x01\0\0\0x", 9) + "demo";
  for (const std::string command : {"HMGET", "SCAN", "HKEYS", "HDEL"}) {
    SCOPED_TRACE(command);
    ScriptedServer server([&](const Received& received) -> std::optional<Answer> {
      if (received.words[0] == command) return Answer{.bytes = "-NOPERM no\r\n"};
      if (received.words[0] == "SCAN") {
        return Answer{.bytes = "*2\r\n$1\r\n0\r\n*1\r\n" + ScriptedServer::Bulk(key)};
      }
      if (received.words[0] == "HKEYS") {
        return Answer{.bytes = "*1\r\n" + ScriptedServer::Bulk("_ts:v")};
      }
      return std::nullopt;
    });
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    if (command == "HMGET") {
      EXPECT_FAULT(Fault::kUser, command, store->Read(view, keys));
    } else {
      EXPECT_FAULT(Fault::kUser, command, store->Remove(view));
    }
  }
}

}  // namespace
}  // namespace banquet::redis
