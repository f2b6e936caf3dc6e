#include "banquet/client/filesystem/spill_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "banquet/client/filesystem/system_call_faults.h"

namespace banquet {
namespace {

std::string Advice(const std::string& what, const std::string& directory) {
  return what + " " + directory +
         " (banquet.spill_directory; it takes what goes beyond banquet.memory_limit)";
}

// The calls, or what a test asks for in their place.
ssize_t WriteAt(int fd, const char* data, size_t bytes, int64_t offset) {
  if (const auto fault = TakeSystemCallFault(FaultPoint::kSpillWrite)) {
    errno = *fault;
    return -1;
  }
  return ::pwrite(fd, data, bytes, static_cast<off_t>(offset));
}

ssize_t ReadAt(int fd, char* data, size_t bytes, int64_t offset) {
  if (const auto fault = TakeSystemCallFault(FaultPoint::kSpillRead)) {
    errno = *fault;
    return -1;
  }
  return ::pread(fd, data, bytes, static_cast<off_t>(offset));
}

// Where the file system knows no unnamed files: a name for a moment.
OpenedFile OpenUnlinked(const std::string& directory) {
  std::string path = directory + "/banquet-spill-XXXXXX";
  OpenedFile opened;
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    opened.error = errno;
    return opened;
  }
  ::unlink(path.c_str());
  opened.file = FileDescriptor(fd);
  return opened;
}

}  // namespace

Result<std::unique_ptr<SpillFile>> SpillFile::Create(const std::string& directory) {
  OpenedFile opened = OpenFile(directory, O_TMPFILE | O_RDWR | O_EXCL, 0600);
  if (!opened.file.is_open() &&
      (opened.error == EOPNOTSUPP || opened.error == EISDIR || opened.error == EINVAL)) {
    opened = OpenUnlinked(directory);
  }
  if (!opened.file.is_open()) {
    return ErrnoStatus(opened.error, Advice("Cannot make a spill file in", directory));
  }
  return std::unique_ptr<SpillFile>(new SpillFile(std::move(opened.file), directory));
}

Result<int64_t> SpillFile::Append(const void* data, int64_t bytes) {
  const int64_t offset = size_.fetch_add(bytes, std::memory_order_relaxed);
  const char* at = static_cast<const char*>(data);
  int64_t done = 0;
  while (done < bytes) {
    const ssize_t written =
        WriteAt(file_.get(), at + done, static_cast<size_t>(bytes - done), offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return ErrnoStatus(written < 0 ? errno : ENOSPC,
                         Advice("Cannot write to the spill file in", directory_));
    }
    done += written;
  }
  return offset;
}

Status SpillFile::Read(int64_t offset, void* data, int64_t bytes) const {
  char* at = static_cast<char*>(data);
  int64_t done = 0;
  while (done < bytes) {
    const ssize_t count =
        ReadAt(file_.get(), at + done, static_cast<size_t>(bytes - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, Advice("Cannot read the spill file in", directory_));
    if (count == 0) return Bug("The spill file is shorter than what was written to it");
    done += count;
  }
  return Status::OK();
}

}  // namespace banquet
