// The command `banquet`.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>

#include "banquet/base/arrow_runtime.h"
#include "banquet/base/log.h"
#include "banquet/cli/command.h"
#include "banquet/config/run_options.h"

namespace banquet {
namespace {

constexpr char kVersion[] = "0.1.0";

// --memory-limit for memory_limit: every option of `banquet:` that is one word has a command-line
// form.
void AddRunOptions(CLI::App& app, GlobalOptions* options) {
  for (const OptionSpec& spec : RunOptionTable()) {
    if (spec.type == OptionType::kNode) continue;
    const std::string name(spec.name);
    std::string flag = "--" + name;
    std::ranges::replace(flag, '_', '-');
    if (name == "lock_wait") flag += ",--wait";
    std::string meaning(spec.meaning);
    if (!spec.default_value.empty()) meaning += " [" + std::string(spec.default_value) + "]";
    app.add_option_function<std::string>(
           flag,
           [options, name](const std::string& value) {
             options->overrides.emplace_back(name, value);
           },
           meaning)
        ->group("Options of banquet: (they win over feature_store.yaml)");
  }
}

void AddGlobalOptions(CLI::App& app, GlobalOptions* options) {
  app.add_option("-c,--chdir", options->chdir, "Folder of the feature repository");
  app.add_option("-f,--feature-store-yaml", options->yaml_file, "Path of feature_store.yaml");
  app.add_option("--log-level", options->log_level, "debug, info, warning, error or off");
  app.add_flag("-q,--quiet", options->quiet, "Say nothing but errors");
  app.add_flag("--json", options->json, "One JSON object on standard output");
  app.add_option("--progress", options->progress, "bar, plain, json or none")
      ->check(CLI::IsMember({"bar", "plain", "json", "none"}));
  app.add_option("--metrics-file", options->metrics_file, "Write Prometheus text to this file");
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
  AddPlanCommand(app, &body);
  AddGetOnlineFeaturesCommand(app, &body);
  AddRegistryCommands(app, &body);
  AddStoresCommand(app, &body);
  AddRunOptions(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Usage errors are user errors: 2. Help and version: 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  const Result<LogLevel> level = ParseLogLevel(options.log_level);
  if (!level.ok()) return ReportFailure(options, level.status());
  SetLogLevel(options.quiet ? LogLevel::kError : *level);
  if (const Status status = InitializeArrow(); !status.ok()) return ReportFailure(options, status);
  return body(options);
}

}  // namespace
}  // namespace banquet

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return banquet::Main(argc, argv);
}
