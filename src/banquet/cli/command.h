#pragma once
// What all commands share: the global options, and how a command joins the program.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/registry/registry.h"

namespace CLI {
class App;
}

namespace banquet {

struct GlobalOptions {
  std::string chdir;
  std::string yaml_file;
  std::string log_level = "warning";
  bool quiet = false;
  bool json = false;
  std::string
      progress;  // "", "bar", "plain", "json", "none"; empty: bar on a terminal, else plain.
  std::string metrics_file;
  std::vector<std::pair<std::string, std::string>>
      overrides;  // Options of `banquet:` given as --option.
};

// Runs after parsing; returns the exit code.
using CommandBody = std::function<int(const GlobalOptions&)>;

// Each adds its subcommands to `app` and sets `*body` when one of them is chosen. One file per
// command.
void AddMaterializeCommands(CLI::App& app, CommandBody* body);
void AddLoadCommand(CLI::App& app, CommandBody* body);
void AddPlanCommand(CLI::App& app, CommandBody* body);
void AddGetOnlineFeaturesCommand(CLI::App& app, CommandBody* body);
void AddRegistryCommands(CLI::App& app, CommandBody* body);
void AddRunTasksCommand(CLI::App& app, CommandBody* body);
void AddSinkCommand(CLI::App& app, CommandBody* body);
void AddStoresCommand(CLI::App& app, CommandBody* body);
void AddVerifyCommand(CLI::App& app, CommandBody* body);
void AddCheckCommand(CLI::App& app, CommandBody* body);

// -v, --views: one name each time it is given.
void AddViewsOption(CLI::App* command, std::vector<std::string>* views, const std::string& meaning);

// A repository, opened: what every command but `stores` begins with.
struct Repository {
  RepoConfig config;
  std::unique_ptr<Registry> registry;
  std::shared_ptr<const RegistryContents> contents;
};
Result<Repository> OpenRepository(const GlobalOptions& options);

// Prints "banquet: message" to standard error, and with --json an object with status and error to
// standard output. Returns the exit code.
int ReportFailure(const GlobalOptions& options, const Status& status);

}  // namespace banquet
