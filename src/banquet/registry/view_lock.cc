#include "banquet/registry/view_lock.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "banquet/base/log.h"
#include "banquet/base/time_text.h"
#include "banquet/client/filesystem/file_lock.h"

namespace banquet {
namespace {

constexpr std::chrono::milliseconds kPoll(100);
constexpr size_t kReadableBytesMax = 40;
constexpr size_t kNoteBytesMax = 1000;

class HeldViewLock final : public ViewLock {
 public:
  explicit HeldViewLock(FileLock lock) : lock_(std::move(lock)) {}

 private:
  FileLock lock_;
};

// FNV-1a.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

// What a person recognizes a view by; the hash beside it is what tells views apart.
std::string ReadablePart(std::string_view text) {
  std::string readable(text.substr(0, kReadableBytesMax));
  for (char& c : readable) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return readable;
}

// Beside the registry and, for when that is refused, in the temporary directory.
std::array<std::string, 2> LockPaths(const ViewLockTarget& target) {
  std::error_code error;
  std::filesystem::path registry = std::filesystem::canonical(target.registry_path, error);
  if (error) registry = std::filesystem::absolute(target.registry_path, error);
  std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
  if (error) temporary = "/tmp";
  const std::string key = fmt::format(
      "{}-{:016x}", ReadablePart(target.view),
      HashOf(fmt::format("{}:{}:{}", target.project.size(), target.project, target.view)));
  const std::string registry_name = ReadablePart(registry.filename().string());
  return {registry.parent_path() / fmt::format(".{}.{}.banquet-lock", registry_name, key),
          temporary / fmt::format("banquet-{:016x}-{}.lock", HashOf(registry.string()), key)};
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

std::string NoteOf(const ViewLockTarget& target, int64_t now_us) {
  return fmt::format("pid {} on host {} since {}\nview {} of project {}\n", ::getpid(), HostName(),
                     FormatRfc3339(now_us), target.view, target.project);
}

// The first line of the holder's note as far as it can be shown: ": pid 1 on host h since …" or
// nothing.
std::string HolderOf(std::string_view note) {
  std::string line(note.substr(0, std::min(note.find('\n'), kNoteBytesMax)));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return line.empty() ? line : ": " + line;
}

Status HeldStatus(const ViewLockTarget& target, const std::string& note,
                  std::chrono::milliseconds wait) {
  const std::string holder = HolderOf(note);
  if (wait.count() <= 0) {
    return HeldError("Another run holds view {}{}; wait for it with --wait SECONDS", target.view,
                     holder);
  }
  return HeldError("Another run still holds view {} after {} s{}; wait longer with --wait SECONDS",
                   target.view, static_cast<double>(wait.count()) / 1000, holder);
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
  const auto deadline = clock.Steady() + wait;
  bool told = false;
  while (true) {
    if (stop.stop_requested()) return CancelledError();
    BANQUET_ASSIGN_OR_RETURN(LockAttempt attempt, TryPlaces(paths, NoteOf(target, clock.NowUs())));
    if (attempt.lock.has_value()) return std::make_unique<HeldViewLock>(*std::move(attempt.lock));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Steady());
    if (left.count() <= 0) return HeldStatus(target, attempt.holder_note, wait);
    if (!std::exchange(told, true)) {
      LogWarning("Another run holds view {}{}; waiting for it for up to {} s", target.view,
                 HolderOf(attempt.holder_note), static_cast<double>(wait.count()) / 1000);
    }
    if (!clock.Wait(std::min(left, kPoll), stop)) return CancelledError();
  }
}

}  // namespace banquet
