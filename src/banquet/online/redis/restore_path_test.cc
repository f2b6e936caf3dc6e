// The fast path of new keys against scripted servers: what exists, what is refused, what breaks.

#include <algorithm>
#include <map>
#include <set>

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

constexpr int kRows = 60;
const char kBusyKey[] = "-BUSYKEY Target key name already exists.\r\n";

using Script = ScriptedServer::Script;

// A Redis of this version that answers the rest as `script` says.
Script OfVersion(const std::string& version, Script script = nullptr) {
  return [=](const Received& received) -> std::optional<Answer> {
    if (script != nullptr) {
      if (std::optional<Answer> answer = script(received)) return answer;
    }
    if (received.words[0] != "INFO") return std::nullopt;
    return Answer{.bytes = ScriptedServer::Bulk("# Server\r\nredis_version:" + version +
                                                "\r\nrun_id:x\r\nevicted_keys:0\r\n")};
  };
}
Script Redis7(Script script = nullptr) { return OfVersion("7.0.15", std::move(script)); }

Script AnswerTo(const std::string& command, std::set<int> nth, Answer answer) {
  return Redis7([=](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != command || (!nth.empty() && !nth.contains(received.nth))) {
      return std::nullopt;
    }
    return answer;
  });
}

Result<std::unique_ptr<OnlineStore>> StoreOn(int port, bool restore = true,
                                             const std::string& ttl = "0") {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"connection_string", "127.0.0.1:" + std::to_string(port)}, {"key_ttl_seconds", ttl}}) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  OnlineStoreContext context;
  context.connect_timeout = context.stall_timeout = std::chrono::milliseconds(20'000);
  context.redis_restore = restore;
  return MakeStore(block, context);
}

ViewColumns View(Overwrite overwrite = Overwrite::kNewest, Guard guard = Guard::kCheck) {
  ViewColumns view = MakeTestView("v", {"a"}, overwrite);
  view.guard = guard;
  return view;
}

std::shared_ptr<const EncodedBatch> BatchOf(const ViewColumns& view, int rows,
                                            const std::string& value = "value") {
  BatchBuilder builder(view);
  for (int i = 0; i < rows; ++i) builder.Row("key" + std::to_string(i), 1000 + i, {value});
  return builder.Build();
}

Result<RowOutcomes> WriteOnce(OnlineStore* store, const ViewColumns& view,
                              std::shared_ptr<const EncodedBatch> batch) {
  BANQUET_RETURN_NOT_OK(store->Prepare(std::span(&view, 1)));
  BANQUET_ASSIGN_OR_RETURN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), RowSelection::All()));
  return writer->Flush();
}
Result<RowOutcomes> WriteOnce(OnlineStore* store, const ViewColumns& view, int rows) {
  return WriteOnce(store, view, BatchOf(view, rows));
}

// "HMGET HMGET RESTORE": the commands that concern this key.
std::string CommandsOf(const ScriptedServer& server, const std::string& key) {
  std::string commands;
  for (const Received& received : server.received()) {
    if (std::ranges::find(received.words, key + "demo") == received.words.end()) continue;
    commands += (commands.empty() ? "" : " ") + received.words[0];
  }
  return commands;
}

TEST(RestorePathTest, MakesKeysThatTheCheckDidNotFind) {
  ScriptedServer server(Redis7());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), kRows));
  EXPECT_EQ(outcomes.written, kRows);
  EXPECT_EQ(outcomes.views[0].written, kRows);
  EXPECT_EQ(server.CountOf("HMGET"), kRows);
  EXPECT_EQ(server.CountOf("RESTORE"), kRows);
  EXPECT_EQ(server.CountOf("HSET"), 0);
}

TEST(RestorePathTest, DoesNotAskFirstOnceNothingIsFound) {
  constexpr int kMany = 10'000;
  ScriptedServer server(Redis7());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), kMany));
  EXPECT_EQ(outcomes.written, kMany);
  EXPECT_EQ(server.CountOf("HMGET"), 3000) << "the chunks sent before the first was answered";
  EXPECT_EQ(server.CountOf("RESTORE"), kMany);
}

TEST(RestorePathTest, StaysAwayFromServersThatDoNotKnowThePayload) {
  const std::vector<std::pair<std::string, bool>> cases = {
      {"6.2.14", false}, {"7.0.0", true}, {"8.2.1", true}, {"255.255.255", true},
      {"", false},       {"x", false},    {"7", true},
  };
  for (const auto& [version, used] : cases) {
    SCOPED_TRACE(version);
    ScriptedServer server(OfVersion(version));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), kRows));
    EXPECT_EQ(outcomes.written, kRows);
    EXPECT_EQ(server.CountOf("RESTORE"), used ? kRows : 0);
    EXPECT_EQ(server.CountOf("HSET"), used ? 0 : kRows);
  }
}

TEST(RestorePathTest, CanBeSwitchedOff) {
  ScriptedServer server(Redis7());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), false));
  ASSERT_OK(WriteOnce(store.get(), View(), kRows));
  EXPECT_EQ(server.CountOf("RESTORE"), 0);
  EXPECT_EQ(server.CountOf("CONFIG"), 0);
}

TEST(RestorePathTest, AKeyThatExistsIsCheckedAndWritten) {
  ScriptedServer server(AnswerTo("RESTORE", {1, kRows / 2, kRows}, {.bytes = kBusyKey}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), kRows));
  EXPECT_EQ(outcomes.written, kRows);
  EXPECT_EQ(server.CountOf("HSET"), 3);
  EXPECT_EQ(CommandsOf(server, "key0"), "HMGET RESTORE HMGET HSET");
  EXPECT_EQ(CommandsOf(server, "key1"), "HMGET RESTORE");
}

TEST(RestorePathTest, AKeyMadeMeanwhileGuardsItself) {
  // Between our check and our RESTORE somebody wrote key0 with a newer time.
  ScriptedServer server(Redis7([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] == "RESTORE" && received.nth == 1) return Answer{.bytes = kBusyKey};
    if (received.words[0] != "HMGET" || received.nth != kRows + 1) return std::nullopt;
    return Answer{.bytes = "*1\r\n$6\r\n\x08\x9e\xd0\xd0\x83\x06\r\n"};
  }));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), kRows));
  EXPECT_EQ(outcomes.written, kRows - 1);
  EXPECT_EQ(outcomes.stale, 1);
  EXPECT_EQ(CommandsOf(server, "key0"), "HMGET RESTORE HMGET");
}

TEST(RestorePathTest, AlwaysAndStrictTryRestoreFirst) {
  for (const ViewColumns& view :
       {View(Overwrite::kAlways), View(Overwrite::kNewest, Guard::kStrict),
        View(Overwrite::kFeast, Guard::kStrict)}) {
    const bool strict = view.guard == Guard::kStrict;
    ScriptedServer server(AnswerTo("RESTORE", {1, 2, 3}, {.bytes = kBusyKey}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), view, kRows));
    EXPECT_EQ(outcomes.written, kRows);
    EXPECT_EQ(server.CountOf("HSET"), 3);
    EXPECT_EQ(CommandsOf(server, "key0"), strict ? "RESTORE WATCH HMGET HSET" : "RESTORE HSET");
    EXPECT_EQ(CommandsOf(server, "key3"), "RESTORE");
  }
}

TEST(RestorePathTest, StrictGoesBackToGroupsWhereKeysExist) {
  ScriptedServer server(AnswerTo("RESTORE", {}, {.bytes = kBusyKey}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const ViewColumns view = View(Overwrite::kNewest, Guard::kStrict);
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), view, 9000));
  EXPECT_EQ(outcomes.written, 9000);
  EXPECT_EQ(server.CountOf("RESTORE"), 4000) << "the chunks before the first groups";
  EXPECT_EQ(server.CountOf("EXEC"), 72);
}

TEST(RestorePathTest, GivesTheKeyItsTtl) {
  ScriptedServer server(AnswerTo("RESTORE", {2}, {.bytes = kBusyKey}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port(), true, "77"));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), View(), 3));
  EXPECT_EQ(outcomes.written, 3);
  EXPECT_EQ(CommandsOf(server, "key0"), "HMGET RESTORE");
  EXPECT_EQ(CommandsOf(server, "key1"), "HMGET RESTORE HMGET HSET EXPIRE");
  for (const Received& received : server.received()) {
    if (received.words[0] != "RESTORE") continue;
    EXPECT_EQ(received.words[2], "77000");
  }
}

TEST(RestorePathTest, ValuesBeyondTheServersListpackGoByHset) {
  const std::string limits =
      "*4\r\n$23\r\nhash-max-listpack-value\r\n$3\r\n100\r\n"
      "$25\r\nhash-max-listpack-entries\r\n$3\r\n512\r\n";
  const std::vector<std::pair<std::string, size_t>> cases = {
      {"-NOPERM no\r\n", 64}, {"-ERR unknown command\r\n", 64}, {"*0\r\n", 64}, {limits, 100}};
  for (const auto& [answer, longest] : cases) {
    for (const Overwrite overwrite : {Overwrite::kNewest, Overwrite::kAlways}) {
      ScriptedServer server(AnswerTo("CONFIG", {}, {.bytes = answer}));
      ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
      const ViewColumns view = View(overwrite);
      BatchBuilder builder(view);
      builder.Row("fits", 1, {std::string(longest, 'x')});
      builder.Row("long", 1, {std::string(longest + 1, 'x')});
      ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                           WriteOnce(store.get(), view, builder.Build()));
      EXPECT_EQ(outcomes.written, 2);
      const std::string check = overwrite == Overwrite::kAlways ? "" : "HMGET ";
      EXPECT_EQ(CommandsOf(server, "fits"), check + "RESTORE");
      EXPECT_EQ(CommandsOf(server, "long"), check + "HSET");
    }
  }
}

// A row waits for an earlier one of its key, whatever that one's way is.
TEST(RestorePathTest, ARowWaitsForAnEarlierOneOfItsKey) {
  for (const Overwrite overwrite : {Overwrite::kNewest, Overwrite::kAlways}) {
    ScriptedServer server(AnswerTo("RESTORE", {1, 4}, {.bytes = kBusyKey}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    const ViewColumns view = View(overwrite);
    BatchBuilder builder(view);
    builder.Row("a", 1, {"1"}).Row("b", 1, {"2"}).Row("a", 2, {"3"}).Row("c", 1, {"4"});
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, WriteOnce(store.get(), view, builder.Build()));
    EXPECT_EQ(outcomes.written, 4);
    const std::vector<Received> received = server.received();
    std::vector<std::string> values;
    for (const Received& command : received) {
      if (command.words[0] == "HSET" && command.words[1] == "ademo") {
        values.push_back(command.words[5]);
      }
    }
    EXPECT_EQ(values.front(), "1");
    const std::string once =
        overwrite == Overwrite::kAlways ? "RESTORE HSET" : "HMGET RESTORE HMGET HSET";
    EXPECT_TRUE(CommandsOf(server, "a").starts_with(once)) << CommandsOf(server, "a");
  }
}

// The three ways to RESTORE: after a check, at once, and beside transactions.
std::vector<ViewColumns> EachWay() {
  return {View(), View(Overwrite::kAlways), View(Overwrite::kNewest, Guard::kStrict)};
}

// One reply of a server where RESTORE `nth` is answered by the rule's error.
void ExpectRuleKept(const ReplyRule& rule, int nth, const ViewColumns& view) {
  const std::string error = std::string(rule.code) + " says the server";
  SCOPED_TRACE(error + " at " + std::to_string(nth));
  ScriptedServer server(AnswerTo("RESTORE", {nth}, {.bytes = "-" + error + "\r\n"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  const Result<RowOutcomes> outcomes = WriteOnce(store.get(), view, kRows);
  if (rule.code == "ERR" || rule.code == "NOPERM") {
    ASSERT_OK(outcomes);
    EXPECT_EQ(outcomes->written, kRows);
    EXPECT_EQ(server.CountOf("HSET"), 1);
  } else if (rule.fate == ReplyFate::kAgain) {
    ASSERT_OK(outcomes);
    EXPECT_EQ(outcomes->written, kRows - 1);
    EXPECT_EQ(outcomes->undecided, std::vector<uint32_t>{static_cast<uint32_t>(nth - 1)});
  } else {
    const bool is_users = rule.fate == ReplyFate::kUser || rule.fate == ReplyFate::kMoved;
    EXPECT_FAULT(is_users ? Fault::kUser : Fault::kRemote, "RESTORE", outcomes);
    EXPECT_EQ(IsRetryable(outcomes.status()),
              rule.fate == ReplyFate::kReconnect || rule.fate == ReplyFate::kMemory);
  }
}

// Every rule of the table at the first, a middle and the last RESTORE.
TEST(RestorePathTest, ErrorRepliesMeanWhatTheTableSays) {
  for (const ViewColumns& view : EachWay()) {
    for (const ReplyRule& rule : ReplyRules()) {
      for (const int nth : {1, kRows / 2, kRows}) ExpectRuleKept(rule, nth, view);
    }
  }
}

TEST(RestorePathTest, ARefusalSwitchesThePathOffForTheRun) {
  for (const std::string error :
       {"ERR unknown command 'RESTORE', with args beginning with: 'key0demo' ",
        "ERR Bad data format", "ERR DUMP payload version or checksum are wrong",
        "NOPERM this user has no permissions to run the 'restore' command"}) {
    for (const ViewColumns& view : EachWay()) {
      SCOPED_TRACE(error);
      ScriptedServer server(AnswerTo("RESTORE", {}, {.bytes = "-" + error + "\r\n"}));
      ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
      ASSERT_OK_AND_ASSIGN(RowOutcomes outcomes, WriteOnce(store.get(), view, kRows));
      EXPECT_EQ(outcomes.written, kRows);
      EXPECT_EQ(server.CountOf("HSET"), kRows);
      ASSERT_OK_AND_ASSIGN(outcomes, WriteOnce(store.get(), view, kRows));
      EXPECT_EQ(outcomes.written, kRows);
      EXPECT_EQ(server.CountOf("RESTORE"), kRows) << "not tried again, not even by another writer";
      EXPECT_EQ(server.CountOf("HSET"), 2 * kRows);
    }
  }
}

TEST(RestorePathTest, AnotherReplyThanRedisGivesEndsTheRun) {
  for (const std::string bytes : {":1\r\n", "$-1\r\n", "+QUEUED\r\n", "*0\r\n"}) {
    ScriptedServer server(AnswerTo("RESTORE", {2}, {.bytes = bytes}));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    EXPECT_FAULT(Fault::kRemote, "unexpected reply to RESTORE",
                 WriteOnce(store.get(), View(), kRows));
  }
}

// A writer whose RESTOREs may still be executed is ended before the next one writes.
TEST(RestorePathTest, AServerThatHangsUpAmongRestoresIsWorthAnotherTry) {
  for (const ViewColumns& view : EachWay()) {
    for (const std::string bytes : {"", "+", "+O", "+OK\r", "-BUSYK"}) {
      for (const int nth : {1, kRows / 2, kRows}) {
        SCOPED_TRACE(bytes + " at " + std::to_string(nth));
        ScriptedServer server(AnswerTo("RESTORE", {nth}, {.bytes = bytes, .close = true}));
        ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
        const auto outcomes = WriteOnce(store.get(), view, kRows);
        EXPECT_FAULT(Fault::kRemote, "redis at 127.0.0.1:", outcomes);
        EXPECT_TRUE(IsRetryable(outcomes.status()));
        ASSERT_OK_AND_ASSIGN(const RowOutcomes again, WriteOnce(store.get(), view, kRows));
        EXPECT_EQ(again.written, kRows);
        EXPECT_EQ(server.CountOf("CLIENT"), 9) << "the lost writer's connection is killed";
      }
    }
  }
}

TEST(RestorePathTest, AWriterWhoseRestoresAreAllAnsweredIsNotKilled) {
  ScriptedServer server(Redis7());
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
  for (int i = 0; i < 2; ++i) ASSERT_OK(WriteOnce(store.get(), View(), kRows));
  EXPECT_EQ(server.CountOf("CLIENT"), 8) << "names and numbers of four connections, no kill";
}

TEST(RestorePathTest, AServerThatIsBusyAtTheQuestionIsAskedAgain) {
  for (const std::string command : {"INFO", "CONFIG"}) {
    ScriptedServer server(Redis7([command](const Received& received) -> std::optional<Answer> {
      const bool asked = received.words[0] == command && received.words.size() > 1;
      if (!asked || received.connection > 2) return std::nullopt;
      return Answer{.bytes = "-BUSY Redis is busy\r\n"};
    }));
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(server.port()));
    EXPECT_TRUE(IsRetryable(WriteOnce(store.get(), View(), kRows).status()));
    ASSERT_OK(WriteOnce(store.get(), View(), kRows));
    EXPECT_EQ(server.CountOf("RESTORE"), kRows);
  }
}

}  // namespace
}  // namespace banquet::redis
