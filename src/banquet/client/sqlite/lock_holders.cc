#include "banquet/client/sqlite/lock_holders.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace banquet::sqlite {
namespace {

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string NameOfProcess(int pid) {
  if (pid == getpid()) return "this process";
  std::string name = TextOf(fmt::format("/proc/{}/comm", pid));
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? fmt::format("process {}", pid) : fmt::format("process {} ({})", pid, name);
}

}  // namespace

// A line is "1: POSIX  ADVISORY  WRITE 123 08:01:4567 0 EOF"; one that waits has "->" after its
// number. The file is not opened: closing it would drop this process's own locks on it.
std::string HoldersInTable(std::string_view table, const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return "another process";
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  std::vector<std::string> holders;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, pid_text, identity;
    words >> number >> kind >> mode >> access >> pid_text >> identity;
    int pid = 0;
    std::from_chars(pid_text.data(), pid_text.data() + pid_text.size(), pid);
    if (kind != "POSIX" || identity != wanted || pid <= 0) continue;
    std::string holder = NameOfProcess(pid);
    if (std::find(holders.begin(), holders.end(), holder) == holders.end()) {
      holders.push_back(std::move(holder));
    }
  }
  return holders.empty() ? "another process" : fmt::format("{}", fmt::join(holders, ", "));
}

std::string HoldersOfLock(const std::string& path) {
  return HoldersInTable(TextOf("/proc/locks"), path);
}

}  // namespace banquet::sqlite
