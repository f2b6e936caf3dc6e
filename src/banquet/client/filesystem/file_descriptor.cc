#include "banquet/client/filesystem/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "banquet/client/filesystem/system_call_faults.h"

namespace banquet {
namespace {

constexpr size_t kReadBytes = 256 * 1024;

bool UserCanMend(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status ErrnoStatus(int error, std::string_view what) {
  char buffer[256];
  const char* words = ::strerror_r(error, buffer, sizeof(buffer));
  if (UserCanMend(error)) return UserError("{}: {}", what, words);
  return RemoteError({}, "{}: {}", what, words);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

OpenedFile OpenFile(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return {.file = FileDescriptor(), .error = errno};
  return {.file = FileDescriptor(fd), .error = 0};
}

Result<std::string> ReadAll(const FileDescriptor& file, const std::string& path) {
  std::string content;
  struct stat known {};
  const bool sized = ::fstat(file.get(), &known) == 0 && known.st_size > 0;
  content.resize(sized ? static_cast<size_t>(known.st_size) + 1 : kReadBytes);
  size_t filled = 0;
  while (true) {
    if (filled == content.size()) content.resize(content.size() + kReadBytes);
    const ssize_t got = ::pread(file.get(), content.data() + filled, content.size() - filled,
                                static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("Cannot read {}", path));
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  content.resize(filled);
  return content;
}

Status WriteAll(const FileDescriptor& file, std::string_view content, const std::string& path) {
  size_t written = 0;
  while (written < content.size()) {
    if (const auto fault = TakeSystemCallFault(FaultPoint::kWrite))
      return ErrnoStatus(*fault, fmt::format("Cannot write {}", path));
    const ssize_t put = ::pwrite(file.get(), content.data() + written, content.size() - written,
                                 static_cast<off_t>(written));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, fmt::format("Cannot write {}", path));
    written += static_cast<size_t>(put);
  }
  return Status::OK();
}

Status SyncFile(const FileDescriptor& file, const std::string& path) {
  int error = 0;
  if (const auto fault = TakeSystemCallFault(FaultPoint::kSync)) {
    error = *fault;
  } else if (::fsync(file.get()) != 0) {
    error = errno;
  }
  if (error == 0) return Status::OK();
  return ErrnoStatus(error, fmt::format("Cannot bring to disk {}", path));
}

Result<std::string> ReadWholeFile(const std::string& path) {
  OpenedFile opened = OpenFile(path, O_RDONLY);
  if (!opened.file.is_open()) return ErrnoStatus(opened.error, fmt::format("Cannot open {}", path));
  return ReadAll(opened.file, path);
}

}  // namespace banquet
