#include "banquet/client/filesystem/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/system_call_faults.h"

namespace banquet {
namespace {

constexpr char kTemporarySuffix[] = ".banquet-tmp";
constexpr size_t kBaseNameBytesMax =
    180;  // Leaves room for the rest of a temporary name in 255 bytes.
constexpr int kNameAttemptsMax = 100;
constexpr mode_t kNewFileMode = 0644;

struct PathParts {
  std::string directory;
  std::string name;
};

// Follows symbolic links; a file that does not exist keeps its own name.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path : std::string(real.get());
}

PathParts Split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {.directory = ".", .name = path};
  return {.directory = slash == 0 ? "/" : path.substr(0, slash), .name = path.substr(slash + 1)};
}

std::string TemporaryPrefix(const PathParts& target) {
  return "." + target.name.substr(0, kBaseNameBytesMax) + ".";
}

// A temporary file holds a lock on itself as long as its writer lives, so whoever can lock it may
// remove it: unlike the pid in the name, this holds across containers.
void RemoveLeftovers(const PathParts& target) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(target.directory.c_str()),
                                                      [](DIR* open) { return ::closedir(open); });
  if (directory == nullptr) return;
  const std::string prefix = TemporaryPrefix(target);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix) || !name.ends_with(kTemporarySuffix)) continue;
    const std::string path = target.directory + "/" + entry->d_name;
    const OpenedFile leftover = OpenFile(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (!leftover.file.is_open()) continue;
    if (::flock(leftover.file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

// The outcome of a step that a mount or a directory may refuse.
struct Step {
  int error = 0;  // An errno, or 0.
  std::string what;
};

// Removed by its destructor unless renamed away.
class TemporaryFile {
 public:
  ~TemporaryFile() {
    if (file_.is_open()) ::unlink(path_.c_str());
  }
  const FileDescriptor& file() const { return file_; }
  const std::string& path() const { return path_; }

  Step Create(const PathParts& target) {
    static std::atomic<int> counter{0};
    for (int attempt = 0; attempt < kNameAttemptsMax; ++attempt) {
      path_ = fmt::format("{}/{}{}-{}{}", target.directory, TemporaryPrefix(target), ::getpid(),
                          counter++, kTemporarySuffix);
      OpenedFile opened = Open();
      if (opened.error == EEXIST) continue;
      if (!opened.file.is_open())
        return {opened.error, fmt::format("Cannot create a file in {}", target.directory)};
      ::flock(opened.file.get(), LOCK_EX | LOCK_NB);
      struct stat status {};
      // Somebody cleaned it away between its creation and its lock.
      if (::fstat(opened.file.get(), &status) != 0 || status.st_nlink == 0) continue;
      file_ = std::move(opened.file);
      return {};
    }
    return {EEXIST, fmt::format("Cannot create a file in {}", target.directory)};
  }

  Step RenameTo(const std::string& target) {
    int error = 0;
    if (const auto fault = TakeSystemCallFault(FaultPoint::kRename)) {
      error = *fault;
    } else if (::rename(path_.c_str(), target.c_str()) != 0) {
      error = errno;
    }
    if (error != 0) return {error, fmt::format("Cannot rename a file to {}", target)};
    file_.Close();
    return {};
  }

 private:
  OpenedFile Open() const {
    if (const auto fault = TakeSystemCallFault(FaultPoint::kCreateTemporary))
      return {.file = FileDescriptor(), .error = *fault};
    return OpenFile(path_, O_RDWR | O_CREAT | O_EXCL, 0600);
  }

  FileDescriptor file_;
  std::string path_;
};

// Mode, owner and group of the file that is replaced. Only root may give files away, so the owner
// is best effort; the group comes along wherever we belong to it.
Step CopyOwnership(const struct stat& from, const TemporaryFile& to) {
  const int fd = to.file().get();
  if (::fchown(fd, from.st_uid, from.st_gid) != 0 &&
      ::fchown(fd, static_cast<uid_t>(-1), from.st_gid) != 0) {
    // Neither is allowed: the new file is ours.
  }
  if (::fchmod(fd, from.st_mode & 07777) != 0)
    return {errno, fmt::format("Cannot set the mode of {}", to.path())};
  return {};
}

// Some file systems cannot bring a directory to disk; that is theirs to keep.
Status SyncDirectory(const std::string& path) {
  const OpenedFile directory = OpenFile(path, O_RDONLY | O_DIRECTORY);
  if (!directory.file.is_open() || ::fsync(directory.file.get()) == 0) return Status::OK();
  if (errno != EIO) return Status::OK();
  return ErrnoStatus(errno, fmt::format("Cannot bring to disk {}", path));
}

// Nothing when the file was replaced; otherwise why the system refuses to. Other failures are
// errors.
Result<std::optional<Step>> TryReplace(const std::string& path, std::string_view content) {
  const PathParts target = Split(path);
  RemoveLeftovers(target);
  TemporaryFile temporary;
  if (Step step = temporary.Create(target); step.error != 0) return step;
  struct stat existing {};
  const bool exists = ::stat(path.c_str(), &existing) == 0;
  if (!exists) existing.st_mode = kNewFileMode;
  if (exists) {
    if (Step step = CopyOwnership(existing, temporary); step.error != 0) return step;
  } else if (::fchmod(temporary.file().get(), kNewFileMode) != 0) {
    return ErrnoStatus(errno, fmt::format("Cannot set the mode of {}", temporary.path()));
  }
  BANQUET_RETURN_NOT_OK(WriteAll(temporary.file(), content, temporary.path()));
  BANQUET_RETURN_NOT_OK(SyncFile(temporary.file(), temporary.path()));
  if (Step step = temporary.RenameTo(path); step.error != 0) return step;
  BANQUET_RETURN_NOT_OK(SyncDirectory(target.directory));
  return std::nullopt;
}

bool IsRefusal(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EBUSY || error == EXDEV;
}

Status WriteInPlace(const FileDescriptor& file, std::string_view content, const std::string& path) {
  BANQUET_RETURN_NOT_OK(WriteAll(file, content, path));
  if (::ftruncate(file.get(), static_cast<off_t>(content.size())) != 0)
    return ErrnoStatus(errno, fmt::format("Cannot truncate {}", path));
  return SyncFile(file, path);
}

Status Overwrite(const std::string& path, std::string_view content) {
  const OpenedFile opened = OpenFile(path, O_RDWR);
  if (!opened.file.is_open())
    return ErrnoStatus(opened.error, fmt::format("Cannot open for writing {}", path));
  BANQUET_ASSIGN_OR_RETURN(const std::string old, ReadAll(opened.file, path));
  // A full disk shows before the first byte is lost; file systems that cannot reserve are tried as
  // they are.
  const int reserved = ::fallocate(opened.file.get(), FALLOC_FL_KEEP_SIZE, 0,
                                   static_cast<off_t>(content.size()) + 1);
  if (reserved != 0 && (errno == ENOSPC || errno == EDQUOT))
    return ErrnoStatus(errno, fmt::format("Cannot write {}", path));
  const Status status = WriteInPlace(opened.file, content, path);
  if (status.ok()) return status;
  if (WriteInPlace(opened.file, old, path).ok()) return status;
  return Annotate(status, "The file may be damaged, put a backup in its place");
}

}  // namespace

Status ReplaceFile(const std::string& path, std::string_view content) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<Step> refused, TryReplace(RealPath(path), content));
  if (!refused.has_value()) return Status::OK();
  return ErrnoStatus(refused->error, refused->what);
}

Result<std::optional<std::string>> ReplaceOrOverwriteFile(const std::string& path,
                                                          std::string_view content) {
  const std::string real = RealPath(path);
  BANQUET_ASSIGN_OR_RETURN(const std::optional<Step> refused, TryReplace(real, content));
  if (!refused.has_value()) return std::nullopt;
  const Status reason = ErrnoStatus(refused->error, refused->what);
  if (!IsRefusal(refused->error)) return reason;
  BANQUET_RETURN_NOT_OK(Overwrite(real, content));
  return MessageOf(reason);
}

}  // namespace banquet
