#include "banquet/offline/parquet/file_access.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "arrow/io/file.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/objects/object_store.h"

namespace banquet::parquet_store {
namespace {

class OpenLocalFile final : public OpenFile {
 public:
  OpenLocalFile(std::shared_ptr<arrow::io::ReadableFile> file, std::string path)
      : descriptor_(file->file_descriptor()), path_(std::move(path)), file_(std::move(file)) {}

  const std::shared_ptr<arrow::io::RandomAccessFile>& file() const override { return file_; }
  Result<std::string> Version() const override {
    struct stat found {};
    if (::fstat(descriptor_, &found) != 0) {
      return ErrnoStatus(errno, "Cannot look at file " + path_);
    }
    return fmt::format("{}:{} {} {}.{:09}", found.st_dev, found.st_ino, found.st_size,
                       found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
  }

 private:
  const int descriptor_;
  const std::string path_;
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
};

class LocalAccess final : public FileAccess {
 public:
  Result<std::unique_ptr<OpenFile>> Open(const std::string& path) const override {
    // O_NONBLOCK so that a pipe by that name does not hold us.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return ErrnoStatus(errno, "Cannot open file " + path);
    BANQUET_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(fd));
    return std::make_unique<OpenLocalFile>(std::move(file), path);
  }
  bool is_remote() const override { return false; }
};

class OpenObjectFile final : public OpenFile {
 public:
  OpenObjectFile(std::shared_ptr<objects::ObjectStore> store, std::string uri,
                 objects::OpenObject open)
      : store_(std::move(store)), uri_(std::move(uri)), open_(std::move(open)) {}

  const std::shared_ptr<arrow::io::RandomAccessFile>& file() const override { return open_.file; }
  // The first is that of the opening; later ones ask anew, since reads go by name.
  Result<std::string> Version() const override {
    if (!std::exchange(was_asked_, true)) return open_.version;
    BANQUET_ASSIGN_OR_RETURN(const objects::OpenObject now, store_->Open(uri_));
    return now.version;
  }

 private:
  const std::shared_ptr<objects::ObjectStore> store_;
  const std::string uri_;
  const objects::OpenObject open_;
  mutable bool was_asked_ = false;
};

class ObjectAccess final : public FileAccess {
 public:
  explicit ObjectAccess(std::shared_ptr<objects::ObjectStore> store) : store_(std::move(store)) {}

  Result<std::unique_ptr<OpenFile>> Open(const std::string& path) const override {
    BANQUET_ASSIGN_OR_RETURN(objects::OpenObject open, store_->Open(path));
    return std::make_unique<OpenObjectFile>(store_, path, std::move(open));
  }
  bool is_remote() const override { return true; }

 private:
  const std::shared_ptr<objects::ObjectStore> store_;
};

}  // namespace

std::unique_ptr<FileAccess> MakeLocalAccess() { return std::make_unique<LocalAccess>(); }

std::unique_ptr<FileAccess> MakeObjectAccess(std::shared_ptr<objects::ObjectStore> store) {
  return std::make_unique<ObjectAccess>(std::move(store));
}

}  // namespace banquet::parquet_store
