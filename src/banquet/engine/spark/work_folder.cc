#include "banquet/engine/spark/work_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet {

Result<WorkFolder> WorkFolder::Make() {
  std::error_code error;
  const std::filesystem::path home = std::filesystem::temp_directory_path(error);
  std::string pattern = home / "banquet-spark-XXXXXX";
  if (error || ::mkdtemp(pattern.data()) == nullptr)
    return UserError("No folder for the Spark job can be made: {}: {}", pattern,
                     std::strerror(errno));
  return WorkFolder(std::move(pattern));
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status WorkFolder::Write(const std::string& name, std::string_view text) const {
  const std::string path = File(name + ".partial");
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  while (file.get() >= 0 && !text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    text.remove_prefix(static_cast<size_t>(written));
  }
  const bool is_whole = file.get() >= 0 && text.empty();
  constexpr int kHere = AT_FDCWD;
  if (is_whole &&
      ::renameat2(kHere, path.c_str(), kHere, File(name).c_str(), RENAME_NOREPLACE) == 0) {
    return Status::OK();
  }
  return UserError("A file of the Spark job cannot be written: {}: {}", path, std::strerror(errno));
}

Result<std::vector<std::string>> RuntimeFiles() {
  BANQUET_ASSIGN_OR_RETURN(const std::string maps, ReadWholeFile("/proc/self/maps"));
  std::set<std::string> files;
  for (size_t begin = 0; begin < maps.size();) {
    const size_t end = std::min(maps.find('\n', begin), maps.size());
    const std::string line = maps.substr(begin, end - begin);
    begin = end + 1;
    const size_t path = line.find('/');
    if (path == std::string::npos || line.find(".so") == std::string::npos) continue;
    files.insert(line.substr(path));
  }
  // Of glibc, which must be the one of the dynamic linker over there.
  std::erase_if(files, [](const std::string& file) {
    const std::string name = std::filesystem::path(file).filename();
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"ld-linux", "libc.so", "libm.so", "libdl.so",
                                                "libpthread.so", "librt.so", "libresolv.so",
                                                "libnss_", "libanl.so"},
        [&](std::string_view begins) { return name.starts_with(begins); });
  });
  std::error_code error;
  std::vector<std::string> all(files.begin(), files.end());
  all.insert(all.begin(), std::filesystem::read_symlink("/proc/self/exe", error).string());
  if (error) return RemoteError({}, "This program's own file is not known: {}", error.message());
  return all;
}

}  // namespace banquet
