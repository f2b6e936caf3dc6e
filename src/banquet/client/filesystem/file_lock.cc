#include "banquet/client/filesystem/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace banquet {
namespace {

constexpr int kAttemptsMax = 1000;
constexpr mode_t kLockFileMode =
    0666;  // So that another user's run can take over a killed one's file.

// Opens what is there, even if only for reading, before it creates: in a directory with the sticky
// bit the system refuses to open another user's file for creation.
OpenedFile OpenOrCreate(const std::string& path) {
  OpenedFile existing = OpenFile(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  if (existing.error == EACCES) {
    OpenedFile readable = OpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (readable.file.is_open()) return readable;
  }
  if (existing.error != ENOENT) return existing;
  OpenedFile created = OpenFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, kLockFileMode);
  if (created.file.is_open() && ::fchmod(created.file.get(), kLockFileMode) != 0) {
    // The process's umask then says who else may take it over.
  }
  return created;
}

// The note is a courtesy; the lock holds without it.
void WriteNote(const FileDescriptor& file, const std::string& note, const std::string& path) {
  if (::ftruncate(file.get(), 0) != 0) return;
  static_cast<void>(WriteAll(file, note, path));
}

}  // namespace

Result<bool> TryLockOpenFile(const FileDescriptor& file, const std::string& path) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return false;
    return ErrnoStatus(errno, fmt::format("Cannot lock {}", path));
  }
  return true;
}

bool NamesOpenFile(const std::string& path, const FileDescriptor& file) {
  struct stat named {};
  struct stat opened {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(file.get(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

Result<LockAttempt> FileLock::TryTake(const std::string& path, const std::string& note) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    OpenedFile opened = OpenOrCreate(path);
    if (opened.error == EEXIST) continue;
    if (opened.error == EACCES || opened.error == EPERM || opened.error == EROFS)
      return LockAttempt{.lock = std::nullopt, .refusal = LockAttempt::Refusal::kNotWritable};
    if (!opened.file.is_open())
      return ErrnoStatus(opened.error, fmt::format("Cannot create the lock file {}", path));
    BANQUET_ASSIGN_OR_RETURN(const bool locked, TryLockOpenFile(opened.file, path));
    if (!locked) {
      BANQUET_ASSIGN_OR_RETURN(std::string holder, ReadAll(opened.file, path));
      return LockAttempt{.lock = std::nullopt,
                         .refusal = LockAttempt::Refusal::kHeld,
                         .holder_note = std::move(holder)};
    }
    // The last holder removed the file after we opened it: what we locked is not the lock.
    if (!NamesOpenFile(path, opened.file)) continue;
    WriteNote(opened.file, note, path);
    return LockAttempt{.lock = FileLock(std::move(opened.file), path)};
  }
  return RemoteError({}, "The lock file is taken and dropped too fast to get hold of: {}", path);
}

FileLock::~FileLock() {
  // Removed while still locked: whoever waits on the removed file finds that its name is gone and
  // begins again.
  if (file_.is_open() && NamesOpenFile(path_, file_)) ::unlink(path_.c_str());
}

}  // namespace banquet
