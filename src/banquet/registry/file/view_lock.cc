#include "banquet/registry/file/view_lock.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "banquet/client/filesystem/file_lock.h"
#include "banquet/registry/lock_name.h"
#include "banquet/registry/lock_wait.h"

namespace banquet {
namespace {

class HeldViewLock final : public ViewLock {
 public:
  explicit HeldViewLock(FileLock lock) : lock_(std::move(lock)) {}

 private:
  FileLock lock_;
};

// Beside the registry and, for when that is refused, in the temporary directory.
std::array<std::string, 2> LockPaths(const ViewLockTarget& target) {
  std::error_code error;
  std::filesystem::path registry = std::filesystem::canonical(target.registry_path, error);
  if (error) registry = std::filesystem::absolute(target.registry_path, error);
  std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
  if (error) temporary = "/tmp";
  const std::string key = ViewLockName(target.project, target.view);
  const std::string registry_name = ReadablePart(registry.filename().string());
  return {registry.parent_path() / fmt::format(".{}.{}.banquet-lock", registry_name, key),
          temporary / fmt::format("banquet-{:016x}-{}.lock", StableHash(registry.string()), key)};
}

std::string NoteOf(const ViewLockTarget& target, int64_t now_us) {
  return fmt::format("{}\nview {} of project {}\n", NoteOfThisProcess(now_us), target.view,
                     target.project);
}

// One try at the place beside the registry, or else at the one that takes files.
Result<LockAttempt> TryPlaces(const std::array<std::string, 2>& paths, const std::string& note) {
  for (const std::string& path : paths) {
    BANQUET_ASSIGN_OR_RETURN(LockAttempt attempt, FileLock::TryTake(path, note));
    const bool refused =
        !attempt.lock.has_value() && attempt.refusal == LockAttempt::Refusal::kNotWritable;
    if (!refused) return attempt;
  }
  return UserError("No directory for a lock file: neither {} nor {} can be created", paths[0],
                   paths[1]);
}

}  // namespace

Result<std::unique_ptr<ViewLock>> TakeViewLock(const ViewLockTarget& target,
                                               std::chrono::milliseconds wait, Clock& clock,
                                               std::stop_token stop) {
  const std::array<std::string, 2> paths = LockPaths(target);
  return WaitForLock(
      {.view = target.view, .longest = wait, .stop = std::move(stop)}, clock,
      [&]() -> Result<LockTry> {
        BANQUET_ASSIGN_OR_RETURN(LockAttempt attempt,
                                 TryPlaces(paths, NoteOf(target, clock.NowUs())));
        if (!attempt.lock.has_value())
          return LockTry{.lock = nullptr, .holder_note = std::move(attempt.holder_note)};
        return LockTry{.lock = std::make_unique<HeldViewLock>(*std::move(attempt.lock)),
                       .holder_note = {}};
      });
}

}  // namespace banquet
