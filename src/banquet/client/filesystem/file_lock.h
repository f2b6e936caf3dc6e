#pragma once
// A lock that is a file: visible, held by one holder at a time, and gone with its process however
// that ends.

#include <optional>
#include <string>
#include <utility>

#include "banquet/base/status.h"
#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet {

struct LockAttempt;

// Held while it lives, by flock(2) on a file that is removed at release. Two FileLock objects
// exclude each other in one process too; the file that a killed process left is no obstacle, since
// its lock died with it.
class FileLock {
 public:
  // Never waits. `note` is written into the file for those who find it held.
  static Result<LockAttempt> TryTake(const std::string& path, const std::string& note);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  FileDescriptor file_;
  std::string path_;
};

struct LockAttempt {
  enum class Refusal {
    kHeld,         // Another process or another FileLock of this one has it.
    kNotWritable,  // The directory takes no new file.
  };
  std::optional<FileLock> lock;  // Empty: refused.
  Refusal refusal = Refusal::kHeld;
  std::string holder_note;  // kHeld: what the holder wrote, as far as it has.
};

// Whether the lock on an open file was got; false when another holds it. The lock ends when the
// file is closed.
Result<bool> TryLockOpenFile(const FileDescriptor& file, const std::string& path);

// Whether `path` still names this open file, and not one that replaced it.
bool NamesOpenFile(const std::string& path, const FileDescriptor& file);

}  // namespace banquet
