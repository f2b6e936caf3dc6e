#include "banquet/online/redis/server_watch.h"

#include <algorithm>

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/scripted_server.h"

namespace banquet::redis {
namespace {

using std::chrono::milliseconds;

ConfigNode BlockFor(int port) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  block.entries.push_back(
      {"connection_string",
       {.kind = ConfigNode::Kind::kScalar, .scalar = "127.0.0.1:" + std::to_string(port)}});
  return block;
}

// A run whose writer loses its connection, with rows undecided, and that is not tried again.
Status FailInMidWrite(int port, OnlineStoreContext context) {
  context.connect_timeout = milliseconds(20'000);
  BANQUET_ASSIGN_OR_RETURN(const auto store, MakeStore(BlockFor(port), context));
  const ViewColumns view = MakeTestView("v", {"a"});
  BANQUET_RETURN_NOT_OK(store->Prepare(std::span(&view, 1)));
  BANQUET_ASSIGN_OR_RETURN(const auto writer, store->OpenWriter(std::span(&view, 1), 0));
  BatchBuilder builder(view);
  for (int i = 0; i < 20; ++i) builder.Row("key" + std::to_string(i), 1000 + i, {"value"});
  BANQUET_RETURN_NOT_OK(writer->Write(builder.Build(), RowSelection::All()));
  return writer->Flush().status();
}

int KillsOf(const ScriptedServer& server, const std::string& id) {
  const std::vector<Received> received = server.received();
  return static_cast<int>(
      std::ranges::count(received, Words{"CLIENT", "KILL", "ID", id}, &Received::words));
}

TEST(ServerWatchTest, AFailedRunEndsItsLostWriterAtTheEnd) {
  ScriptedServer server([](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HSET" || received.nth != 3) return std::nullopt;
    return Answer{.silence = true};
  });
  OnlineStoreContext context;
  context.stall_timeout = milliseconds(300);
  EXPECT_FAULT(Fault::kRemote, "stall_timeout", FailInMidWrite(server.port(), context));
  EXPECT_EQ(KillsOf(server, "102"), 1) << "the second connection was the writer's";
}

TEST(ServerWatchTest, AStoppedRunEndsItsLostWriterToo) {
  std::stop_source stop;
  ScriptedServer server([&stop](const Received& received) -> std::optional<Answer> {
    if (received.words[0] != "HSET" || received.nth != 3) return std::nullopt;
    stop.request_stop();
    return Answer{.silence = true};
  });
  OnlineStoreContext context;
  context.stop = stop.get_token();
  EXPECT_FAULT(Fault::kCancelled, "", FailInMidWrite(server.port(), context));
  EXPECT_EQ(KillsOf(server, "102"), 1);
}

TEST(ServerWatchTest, AServerThatAnswersNoMoreDelaysTheEndOnlyForAMoment) {
  ScriptedServer server([](const Received& received) -> std::optional<Answer> {
    if (received.connection < 3 && (received.words[0] != "HSET" || received.nth != 3)) {
      return std::nullopt;
    }
    return Answer{.silence = true};
  });
  OnlineStoreContext context;
  context.stall_timeout = milliseconds(300);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FAULT(Fault::kRemote, "stall_timeout", FailInMidWrite(server.port(), context));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15));
}

}  // namespace
}  // namespace banquet::redis
