#pragma once
// What a person is told who mistyped the command line.

#include "banquet/base/status.h"

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace banquet {

// One user error for whatever the parser objected to: begins with the subcommand, names the nearest
// word of those that fit there, and where the help is. `app` is the whole program after the failed
// parse.
Status UsageErrorOf(const CLI::App& app, const CLI::Error& error);

}  // namespace banquet
