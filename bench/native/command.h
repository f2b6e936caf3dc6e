#pragma once
// What the subcommands of banquet_bench share: each prints one JSON object on standard output.

#include <functional>

#include "banquet/base/status.h"

namespace CLI {
class App;
}

namespace banquet::bench {

// Runs after parsing.
using CommandBody = std::function<Status()>;

// Each adds its subcommands to `app` and sets `*body` when one of them is chosen.
void AddReadPathCommands(CLI::App& app, CommandBody* body);
void AddDecodeCommand(CLI::App& app, CommandBody* body);
void AddContestCommand(CLI::App& app, CommandBody* body);
void AddEncodeCommand(CLI::App& app, CommandBody* body);
void AddRedisCommands(CLI::App& app, CommandBody* body);
void AddPostgresCommand(CLI::App& app, CommandBody* body);
void AddSqliteCommand(CLI::App& app, CommandBody* body);

}  // namespace banquet::bench
