#pragma once
// Replaces the content of a file so that a reader sees the old content or the new one, and a crash
// leaves one of them.

#include <optional>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

// Writes a temporary file beside `path`, brings it to disk and renames it over `path`. Keeps the
// mode and, where the system lets us, the owner of the file that is there; a symbolic link stays,
// its target is replaced. Leaves no temporary file behind after an error, and removes those of
// killed processes.
Status ReplaceFile(const std::string& path, std::string_view content);

// As ReplaceFile; but where the directory or the mount refuses a rename, overwrites the existing
// file in place, which is not atomic. The result is then the reason, else nothing. `path` must
// exist. A write that fails half way puts the old content back.
Result<std::optional<std::string>> ReplaceOrOverwriteFile(const std::string& path,
                                                          std::string_view content);

}  // namespace banquet
