#include "banquet/cli/command.h"

#include <CLI/App.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/builtin/registries.h"

namespace banquet {

void AddViewsOption(CLI::App* command, std::vector<std::string>* views,
                    const std::string& meaning) {
  command->add_option("-v,--views", *views, meaning)->type_size(1)->allow_extra_args(false);
}

Result<Repository> OpenRepository(const GlobalOptions& options) {
  Repository repository;
  BANQUET_ASSIGN_OR_RETURN(repository.config,
                           LoadRepoConfig({.chdir = options.chdir,
                                           .yaml_file = options.yaml_file,
                                           .overrides = options.overrides,
                                           .environment = ProcessEnvironment()}));
  if (!options.quiet) {
    for (const std::string& warning : repository.config.warnings) {
      std::fprintf(stderr, "banquet: warning: %s\n", warning.c_str());
    }
  }
  BANQUET_ASSIGN_OR_RETURN(repository.registry, MakeRegistry(repository.config, SystemClock()));
  BANQUET_ASSIGN_OR_RETURN(repository.contents, repository.registry->Read());
  return repository;
}

int ReportFailure(const GlobalOptions& options, const Status& status) {
  const std::string message = MessageOf(status);
  std::fprintf(stderr, "banquet: %s\n", message.c_str());
  if (options.json) {
    const nlohmann::ordered_json object = {{"status", "ERROR"}, {"error", message}};
    std::printf("%s\n",
                object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  }
  return ExitCodeOf(status);
}

}  // namespace banquet
