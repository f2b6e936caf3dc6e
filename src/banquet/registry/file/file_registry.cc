#include "banquet/registry/file/file_registry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "banquet/client/filesystem/atomic_file.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/filesystem/file_lock.h"
#include "banquet/registry/decode_registry.h"
#include "banquet/registry/file/view_lock.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/random_uuid.h"
#include "feast/core/Registry.pb.h"

namespace banquet {
namespace {

// Feast writes in place: a reader may meet half a file and tries again.
constexpr int kReadAttempts = 6;
constexpr std::chrono::milliseconds kReadWait(50);
// How long to wait for another run that is recording; that takes milliseconds unless it hangs.
constexpr std::chrono::milliseconds kLockWaitMax(30'000);
constexpr std::chrono::milliseconds kLockPoll(20);
// How often to begin again because Feast changed the file between our read and our write.
constexpr int kRecordAttempts = 10;

// What tells a change by Feast, which takes no lock.
struct FileStamp {
  off_t size = 0;
  int64_t modified_s = 0;
  int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

FileStamp StampOf(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return {};
  return {.size = status.st_size,
          .modified_s = status.st_mtim.tv_sec,
          .modified_ns = status.st_mtim.tv_nsec};
}

struct ReadFile {
  std::string bytes;
  FileStamp stamp;
  feast::core::Registry message;
};

struct RecordOutcome {
  bool changed_under_us = false;  // Nothing was written; all is to be done again.
  std::optional<std::string> warning;
};

class FileRegistry final : public Registry {
 public:
  FileRegistry(std::string path, Clock& clock) : path_(std::move(path)), clock_(clock) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override;
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override;
  Status CheckWritable() override { return Open(O_RDWR).status(); }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string& project, const std::string& view,
                                             std::chrono::milliseconds wait,
                                             std::stop_token stop) override {
    return TakeViewLock({.registry_path = path_, .project = project, .view = view}, wait, clock_,
                        std::move(stop));
  }

 private:
  Result<FileDescriptor> Open(int flags) const;
  Result<FileDescriptor> OpenLocked();
  Result<ReadFile> Parse(const FileDescriptor& file);
  Result<RecordOutcome> TryRecord(const MaterializationRecord& record);

  const std::string path_;
  Clock& clock_;
};

Result<FileDescriptor> FileRegistry::Open(int flags) const {
  OpenedFile opened = OpenFile(path_, flags);
  if (opened.file.is_open()) return std::move(opened.file);
  switch (opened.error) {
    case ENOENT:
    case ENOTDIR:
      return UserError(
          "Registry does not exist: {}; run `feast apply` in the feature repository, or correct "
          "registry: in feature_store.yaml",
          path_);
    case EISDIR:
      return UserError("Registry is a directory: {}; name the registry file in feature_store.yaml",
                       path_);
    case EACCES:
    case EPERM:
    case EROFS:
      if (flags == O_RDONLY)
        return UserError("No permission to read the registry: {}; give this user read access",
                         path_);
      return UserError(
          "The registry is read-only: {}; give this user write access to the file and its "
          "directory",
          path_);
    default:
      return ErrnoStatus(opened.error, fmt::format("Cannot open the registry {}", path_));
  }
}

Result<ReadFile> FileRegistry::Parse(const FileDescriptor& file) {
  ReadFile read;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    if (attempt > 0) clock_.Wait(kReadWait, {});
    read.stamp = StampOf(file);
    BANQUET_ASSIGN_OR_RETURN(read.bytes, ReadAll(file, path_));
    if (read.bytes.size() > INT_MAX)
      return UserError("Registry is greater than 2 GiB, more than protobuf can hold: {}", path_);
    // A file cut between two objects parses too; only its changing stamp tells.
    const bool steady = StampOf(file) == read.stamp;
    if (steady && !read.bytes.empty() && read.message.ParseFromString(read.bytes)) return read;
  }
  if (read.bytes.empty())
    return UserError("Registry is empty: {}; run `feast apply` in the feature repository", path_);
  return DataError(
      "Registry is damaged or no Feast registry: {} ({} bytes do not parse); put a backup in its "
      "place, or remove it and run `feast apply`",
      path_, read.bytes.size());
}

Result<std::shared_ptr<const RegistryContents>> FileRegistry::Read() {
  Status status;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(const FileDescriptor file, Open(O_RDONLY));
    Result<ReadFile> read = Parse(file);
    if (read.ok()) {
      Result<RegistryContents> contents = DecodeRegistry(read->message);
      if (!contents.ok()) return Annotate(contents.status(), fmt::format("Registry {}", path_));
      return std::make_shared<const RegistryContents>(std::move(contents).ValueUnsafe());
    }
    status = read.status();
    // A writer that renames leaves us with the old file: look at the one that has its name.
    if (NamesOpenFile(path_, file)) break;
  }
  return status;
}

// Takes the lock on the registry file itself, so that no lock file is left anywhere. The file may
// be replaced while we wait for it; then the lock is worth nothing and the new file's is taken.
Result<FileDescriptor> FileRegistry::OpenLocked() {
  const auto deadline = clock_.Steady() + kLockWaitMax;
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(FileDescriptor file, Open(O_RDWR));
    BANQUET_ASSIGN_OR_RETURN(const bool locked, TryLockOpenFile(file, path_));
    if (locked && NamesOpenFile(path_, file)) return file;
    if (clock_.Steady() >= deadline) {
      return HeldError(
          "Another process keeps the registry locked: {} (waited {} s); end it and run again",
          path_, kLockWaitMax.count() / 1000);
    }
    if (!locked) clock_.Wait(kLockPoll, {});
  }
}

Result<RecordOutcome> FileRegistry::TryRecord(const MaterializationRecord& record) {
  BANQUET_ASSIGN_OR_RETURN(const FileDescriptor file, OpenLocked());
  BANQUET_ASSIGN_OR_RETURN(const ReadFile read, Parse(file));
  Result<std::string> spliced = SpliceMaterialization(
      read.bytes, record, {.now_us = clock_.NowUs(), .version_id = RandomUuid()});
  if (!spliced.ok()) return Annotate(spliced.status(), fmt::format("Registry {}", path_));
  if (!(StampOf(file) == read.stamp) || !NamesOpenFile(path_, file))
    return RecordOutcome{.changed_under_us = true, .warning = {}};
  BANQUET_ASSIGN_OR_RETURN(const std::optional<std::string> refusal,
                           ReplaceOrOverwriteFile(path_, *spliced));
  RecordOutcome outcome;
  if (refusal.has_value()) {
    outcome.warning = fmt::format(
        "The registry was written in place, not atomically: {} ({}); a reader at that "
        "moment may have seen half a file",
        path_, *refusal);
  }
  return outcome;
}

Result<std::optional<std::string>> FileRegistry::RecordMaterialization(
    const MaterializationRecord& record) {
  for (int attempt = 0; attempt < kRecordAttempts; ++attempt) {
    Result<RecordOutcome> outcome = TryRecord(record);
    if (!outcome.ok()) return Annotate(outcome.status(), "Recording view " + record.view);
    if (!outcome->changed_under_us) return std::move(outcome->warning);
    clock_.Wait(kReadWait, {});
  }
  return RemoteError({}, "The registry is changed by another program all the time: {}", path_);
}

}  // namespace

std::unique_ptr<Registry> MakeFileRegistry(std::string path, Clock& clock) {
  return std::make_unique<FileRegistry>(std::move(path), clock);
}

}  // namespace banquet
