#pragma once
// How the files of a source are opened, on this machine or in an object store.

#include <memory>
#include <string>

#include "banquet/base/status.h"

namespace arrow::io {
class RandomAccessFile;
}
namespace banquet::objects {
class ObjectStore;
}

namespace banquet::parquet_store {

// A file that is open. Used by one thread.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual const std::shared_ptr<arrow::io::RandomAccessFile>& file() const = 0;
  // What tells one content from another, now: it changes when the open file is written to.
  virtual Result<std::string> Version() const = 0;
};

// Safe to share between threads.
class FileAccess {
 public:
  virtual ~FileAccess() = default;
  virtual Result<std::unique_ptr<OpenFile>> Open(const std::string& path) const = 0;
  // Whether every read is a request to somewhere else: few and large ones are then better than
  // small ones, and several at once better than one after the other.
  virtual bool is_remote() const = 0;
};

std::unique_ptr<FileAccess> MakeLocalAccess();
std::unique_ptr<FileAccess> MakeObjectAccess(std::shared_ptr<objects::ObjectStore> store);

}  // namespace banquet::parquet_store
