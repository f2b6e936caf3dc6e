// banquet_bench: the ceilings, and Banquet's layers timed apart. bench/compare runs it.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>

#include "banquet/base/arrow_runtime.h"
#include "banquet/base/log.h"
#include "bench/native/command.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Measures parts of Banquet, and what bounds them.", "banquet_bench");
  app.require_subcommand(1);
  banquet::bench::CommandBody body;
  banquet::bench::AddReadPathCommands(app, &body);
  banquet::bench::AddDecodeCommand(app, &body);
  banquet::bench::AddContestCommand(app, &body);
  banquet::bench::AddEncodeCommand(app, &body);
  banquet::bench::AddRedisCommands(app, &body);
  banquet::bench::AddPostgresCommand(app, &body);
  banquet::bench::AddSqliteCommand(app, &body);
  CLI11_PARSE(app, argc, argv);
  banquet::SetLogLevel(banquet::LogLevel::kWarning);
  banquet::Status status = banquet::InitializeArrow();
  if (status.ok()) status = body();
  if (status.ok()) return 0;
  std::fprintf(stderr, "banquet_bench: %s\n", banquet::MessageOf(status).c_str());
  return banquet::ExitCodeOf(status);
}
