// `replay-redis` and `hset-redis`: what the server itself allows.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "bench/native/command.h"
#include "bench/native/framing.h"
#include "bench/native/planned_run.h"
#include "bench/native/redis_replay.h"
#include "bench/native/sink_store.h"

namespace banquet::bench {
namespace {

struct ReplayArguments {
  std::string captured;
  int port = 0;
};

struct HsetArguments {
  RunArguments run;
  int port = 0;
};

void PrintReplay(const ReplayResult& result) {
  fmt::print(
      "{{\"seconds\": {:.6f}, \"sent_bytes\": {}, \"reply_bytes\": {}, \"error_replies\": {}}}\n",
      result.seconds, result.sent_bytes, result.reply_bytes, result.error_replies);
}

Status RunReplay(const ReplayArguments& arguments) {
  std::vector<std::string> streams;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.captured)) {
    std::ifstream file(entry.path(), std::ios::binary);
    streams.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (streams.empty()) return UserError("There is no captured stream in {}", arguments.captured);
  BANQUET_ASSIGN_OR_RETURN(const ReplayResult result, Replay(streams, arguments.port));
  PrintReplay(result);
  return Status::OK();
}

Status RunHset(const HsetArguments& arguments) {
  std::vector<std::string> streams(1);
  {
    BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<PlannedRun> run,
                             PlannedRun::Open(arguments.run));
    SinkStore store({.needs = {}, .keep = true});
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(&store, WriteOrder::kAny));
    BANQUET_RETURN_NOT_OK(plan.Run());
    for (const auto& batch : store.kept()) {
      for (size_t row = 0; row < batch->rows; ++row) {
        AppendHset(*batch, row, run->group().columns.front(), &streams.front());
      }
    }
  }
  BANQUET_ASSIGN_OR_RETURN(const ReplayResult result, Replay(streams, arguments.port));
  PrintReplay(result);
  return Status::OK();
}

}  // namespace

void AddRedisCommands(CLI::App& app, CommandBody* body) {
  auto replay = std::make_shared<ReplayArguments>();
  CLI::App* replay_redis =
      app.add_subcommand("replay-redis", "Send captured commands from memory to a local server");
  replay_redis->add_option("--captured", replay->captured, "Folder: one file per connection")
      ->required();
  replay_redis->add_option("--port", replay->port)->required();
  replay_redis->callback([body, replay] { *body = [replay] { return RunReplay(*replay); }; });

  auto hset = std::make_shared<HsetArguments>();
  CLI::App* hset_redis =
      app.add_subcommand("hset-redis", "Send a view as plain HSETs, framed before the clock runs");
  AddRunArguments(hset_redis, &hset->run);
  hset_redis->add_option("--port", hset->port)->required();
  hset_redis->callback([body, hset] { *body = [hset] { return RunHset(*hset); }; });
}

}  // namespace banquet::bench
