#pragma once
// Who holds a file's lock, for the message to the person who waits.

#include <string>
#include <string_view>

namespace banquet::sqlite {

// "process 123 (python3)", several by commas, "this process", or "another process" when the system
// does not tell.
std::string HoldersOfLock(const std::string& path);

// The same from the text of /proc/locks.
std::string HoldersInTable(std::string_view table, const std::string& path);

}  // namespace banquet::sqlite
