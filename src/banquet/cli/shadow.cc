#include "banquet/cli/shadow.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace banquet {
namespace {

constexpr char kPythonVariable[] = "BANQUET_PYTHON";
constexpr char kBinaryVariable[] = "BANQUET_BINARY";

// A Python without the package is the user's to mend, not a traceback.
constexpr char kProgram[] = R"(
import sys
try:
    from banquet.shadow import main
except ImportError:
    error = ("--shadow needs the Python package banquet and Feast: pip install banquet[feast]; "
             "name that Python by BANQUET_PYTHON, or put it first on the PATH as python3. This is " + sys.executable)
    print("banquet: " + error, file=sys.stderr)
    if "--json" in sys.argv:
        import json
        print(json.dumps({"status": "ERROR", "error": error}))
    sys.exit(2)
sys.exit(main())
)";

// A lock is nothing to a run that writes scratch stores.
bool IsOfShadow(const std::string& name) { return name != "wait" && name != "lock_wait"; }

}  // namespace

int BecomeShadow(const GlobalOptions& options, const std::vector<std::string>& words) {
  if (!options.metrics_file.empty())
    return ReportFailure(options, UserError("--shadow leaves no metrics; omit --metrics-file"));
  const char* named = std::getenv(kPythonVariable);
  const std::string python = named != nullptr && *named != '\0' ? named : "python3";
  std::vector<std::string> all = {python, "-c", kProgram};
  if (!options.chdir.empty()) all.insert(all.end(), {"-c", options.chdir});
  if (!options.yaml_file.empty()) all.insert(all.end(), {"-f", options.yaml_file});
  if (options.json) all.emplace_back("--json");
  if (options.quiet) all.emplace_back("-q");
  for (const auto& [name, value] : options.overrides) {
    if (IsOfShadow(name)) all.insert(all.end(), {"--set", fmt::format("{}={}", name, value)});
  }
  all.insert(all.end(), words.begin(), words.end());
  std::error_code unknown;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const char* binary = std::getenv(kBinaryVariable);
  if (!unknown && (binary == nullptr || *binary == '\0'))
    ::setenv(kBinaryVariable, self.c_str(), /*overwrite=*/1);
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return ReportFailure(options, UserError("--shadow needs Python 3.10 or newer with the package "
                                          "banquet and Feast; {} cannot be run: {}",
                                          python, std::strerror(errno)));
}

}  // namespace banquet
