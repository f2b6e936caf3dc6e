#pragma once
// Room on disk for what does not fit into memory.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "banquet/base/status.h"
#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet {

// An unnamed file of this process alone (mode 0600, no name from its first moment or unlinked at
// once), so that nothing is left after any exit. Safe to share between threads.
class SpillFile {
 public:
  // A directory that is missing or not writable is a user error that names banquet.spill_directory.
  static Result<std::unique_ptr<SpillFile>> Create(const std::string& directory);

  // Appends and says where; a full disk is a remote error.
  Result<int64_t> Append(const void* data, int64_t bytes);
  Status Read(int64_t offset, void* data, int64_t bytes) const;
  int64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  SpillFile(FileDescriptor file, std::string directory)
      : file_(std::move(file)), directory_(std::move(directory)) {}

  const FileDescriptor file_;
  const std::string directory_;
  std::atomic<int64_t> size_ = 0;
};

}  // namespace banquet
