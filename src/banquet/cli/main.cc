// The command `banquet`.

#include <poll.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/arrow_runtime.h"
#include "banquet/base/log.h"
#include "banquet/cli/command.h"
#include "banquet/cli/progress.h"
#include "banquet/cli/run_metrics.h"
#include "banquet/cli/usage_error.h"
#include "banquet/client/objects/object_store.h"
#include "banquet/config/run_options.h"

namespace banquet {
namespace {

constexpr char kVersion[] = "0.1.0";

// --memory-limit for memory_limit: every option of `banquet:` that is one word has a command-line
// form.
void AddRunOptions(CLI::App& app, GlobalOptions* options) {
  const auto add = [&](const std::string& flag, const std::string& name,
                       const std::string& meaning) {
    const auto keep = [options, name](const std::string& value) {
      options->overrides.emplace_back(name, value);
    };
    app.add_option_function<std::string>(flag, keep, meaning)
        ->group("Options of banquet: (they win over feature_store.yaml)");
  };
  for (const OptionSpec& spec : RunOptionTable()) {
    if (spec.type == OptionType::kNode) continue;
    const std::string name(spec.name);
    std::string flag = "--" + name;
    std::ranges::replace(flag, '_', '-');
    std::string meaning(spec.meaning);
    if (!spec.default_value.empty()) {
      const std::string unit = spec.unit.empty() ? "" : " " + std::string(spec.unit);
      meaning += " [" + std::string(spec.default_value) + unit + "]";
    }
    add(flag, name, meaning);
    if (name == "lock_wait") add("--wait", "wait", "--lock-wait, in short");
  }
}

void AddGlobalOptions(CLI::App& app, GlobalOptions* options) {
  app.add_option("-c,--chdir", options->chdir, "Folder of the feature repository");
  app.add_option("-f,--feature-store-yaml", options->yaml_file, "Path of feature_store.yaml");
  app.add_option("--log-level", options->log_level, "debug, info, warning, error or off");
  app.add_flag("-q,--quiet", options->quiet, "Say nothing but errors");
  app.add_flag("--json", options->json, "JSON on standard output, one line");
  app.add_option("--progress", options->progress, "bar, plain, json or none");
  app.add_option("--metrics-file", options->metrics_file, "Write Prometheus text to this file")
      ->check([](const std::string& path) { return path.empty() ? "it needs a path" : ""; });
}

// A run that never began for a slip in its command must not leave the success of the last one.
void LeaveMetricsOfNoRun(int argc, char** argv, const Status& status) {
  constexpr std::string_view kFlag = "--metrics-file";
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const bool is_run = std::ranges::any_of(words, [](std::string_view word) {
    return word.starts_with("materialize") || word == "load";
  });
  for (size_t i = 0; is_run && i < words.size(); ++i) {
    std::string path;
    if (words[i] == kFlag && i + 1 < words.size()) path = words[i + 1];
    if (words[i].starts_with(kFlag) && words[i].size() > kFlag.size() + 1 &&
        words[i][kFlag.size()] == '=') {
      path = words[i].substr(kFlag.size() + 1);
    }
    if (!path.empty() && CheckMetricsPath(path).ok())
      (void)WriteMetrics(path, MakeRunReport({}, {}, status, 0, 0));
  }
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Moves feature values from offline stores to online stores: Feast's materialization, fast.",
      "banquet");
  app.set_version_flag("-V,--version", kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  GlobalOptions options;
  CommandBody body;
  AddGlobalOptions(app, &options);
  AddMaterializeCommands(app, &body);
  AddLoadCommand(app, &body);
  AddPlanCommand(app, &body);
  AddGetOnlineFeaturesCommand(app, &body);
  AddRegistryCommands(app, &body);
  AddSinkCommand(app, &body);
  AddRunTasksCommand(app, &body);
  AddStoresCommand(app, &body);
  AddVerifyCommand(app, &body);
  AddCheckCommand(app, &body);
  AddRunOptions(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // Help and version.
    // The parser stops before it sets what was given.
    options.json = std::any_of(argv, argv + argc,
                               [](const char* word) { return std::string_view(word) == "--json"; });
    const Status status = UsageErrorOf(app, error);
    LeaveMetricsOfNoRun(argc, argv, status);
    return ReportFailure(options, status);
  }
  const Result<LogLevel> level = ParseLogLevel(options.log_level);
  if (!level.ok()) return ReportFailure(options, level.status());
  SetLogLevel(options.quiet ? LogLevel::kError : *level);
  if (const Status status = CheckProgressWord(options.progress); !status.ok())
    return ReportFailure(options, status);
  if (const Status status = InitializeArrow(); !status.ok()) return ReportFailure(options, status);
  return body(options);
}

// Of standard output; the write that met it may have been long before.
bool ReaderIsGone() {
  pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace
}  // namespace banquet

int main(int argc, char** argv) {
  // A reader that went away and a file that may not grow are errors of a write, not the end of us.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const banquet::objects::FileSystemsEnd file_systems_end;
  const int exit_code = banquet::Main(argc, argv);
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || banquet::ReaderIsGone()) return exit_code;  // Such as head, which has seen enough.
  std::fprintf(stderr, "banquet: standard output could not be written to its end\n");
  return std::max(exit_code, 4);
}
