#pragma once
// `--shadow` of the materialize commands: Feast's engine beside Banquet, which wants Python and
// Feast (python/banquet/shadow.py).

#include <string>
#include <vector>

#include "banquet/cli/command.h"

namespace banquet {

// Becomes `python3 -m banquet.shadow` with `words` behind the global options: BANQUET_PYTHON, else
// python3 on the PATH. Returns only where that cannot be: the exit code of an error that is told.
int BecomeShadow(const GlobalOptions& options, const std::vector<std::string>& words);

}  // namespace banquet
