// `banquet sink`: writes rows that another program sends (docs/formats/sink.md).

#include <unistd.h>

#include <CLI/App.hpp>
#include <cstdio>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/cli/stdin_frame.h"
#include "banquet/engine/sink_run.h"

namespace banquet {
namespace {

Result<SinkReport> Run() {
  BANQUET_ASSIGN_OR_RETURN(const std::string text, ReadStdinFrame("sink"));
  BANQUET_ASSIGN_OR_RETURN(const SinkFrame frame, SinkFrameFromJson(text));
  BANQUET_ASSIGN_OR_RETURN(const RepoConfig config, frame.Config());
  Clock& clock = SystemClock();
  BANQUET_ASSIGN_OR_RETURN(const OnlineStores stores, MakeOnlineStores(config, {}, clock));
  BANQUET_ASSIGN_OR_RETURN(const auto stream, ArrowStream::Open(STDIN_FILENO));
  return RunSink(frame, config.options, stream.get(), stores.All(), &clock, {});
}

}  // namespace

void AddSinkCommand(CLI::App& app, CommandBody* body) {
  CLI::App* command = app.add_subcommand(
      "sink", "Write rows from standard input to the online store, for programs");
  command->footer(
      "Reads a frame (4 bytes of length, little-endian; JSON: configuration and views) and an "
      "Arrow "
      "IPC stream with its\nend-of-stream marker, writes, and prints one line of JSON. Locks no "
      "view "
      "and records nothing.\nExample, as an executor of Spark runs it:\n  banquet sink < "
      "frame-and-stream");
  command->callback([body] {
    *body = [](const GlobalOptions& options) {
      DieWithParent();
      const Result<SinkReport> report = Run();
      if (!report.ok()) return ReportFailure(options, report.status());
      std::printf("%s\n", SinkReportToJson(*report).c_str());
      return 0;
    };
  });
}

}  // namespace banquet
