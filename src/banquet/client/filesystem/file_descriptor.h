#pragma once
// An open file, closed by its destructor, and the few calls on it that several folders need.

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

// "what: the system's words". What the user can mend (permissions, paths, a read-only file system)
// is a user error, the rest (disk full, I/O error) a remote one.
Status ErrnoStatus(int error, std::string_view what);

// Owns one file descriptor. Used by one thread at a time.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { Close(); }

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close();

 private:
  int fd_ = -1;
};

// The file, or why there is none.
struct OpenedFile {
  FileDescriptor file;
  int error = 0;  // An errno when the file is not open.
};

// open(2) with O_CLOEXEC, tried again after EINTR.
OpenedFile OpenFile(const std::string& path, int flags, mode_t mode = 0);

// Everything from the file's start on. `path` is for messages.
Result<std::string> ReadAll(const FileDescriptor& file, const std::string& path);
// All of `content` from the file's start on; does not truncate.
Status WriteAll(const FileDescriptor& file, std::string_view content, const std::string& path);
// fsync(2).
Status SyncFile(const FileDescriptor& file, const std::string& path);

Result<std::string> ReadWholeFile(const std::string& path);

}  // namespace banquet
