#include "banquet/registry/lock_wait.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/base/time_text.h"

namespace banquet {
namespace {

constexpr size_t kNoteBytesMax = 1000;

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

// The first line of the holder's note as far as it can be shown: ": pid 1 on host h since …" or
// nothing.
std::string HolderOf(std::string_view note) {
  std::string line(note.substr(0, std::min(note.find('\n'), kNoteBytesMax)));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return line.empty() ? line : ": " + line;
}

double SecondsOf(std::chrono::milliseconds duration) {
  return static_cast<double>(duration.count()) / 1000;
}

Status HeldStatus(const LockWait& wait, const std::string& note) {
  const std::string holder = HolderOf(note);
  if (wait.longest.count() <= 0) {
    return HeldError("Another run holds view {}{}; wait for it with --wait SECONDS", wait.view,
                     holder);
  }
  return HeldError("Another run still holds view {} after {} s{}; wait longer with --wait SECONDS",
                   wait.view, SecondsOf(wait.longest), holder);
}

}  // namespace

Result<std::unique_ptr<ViewLock>> WaitForLock(const LockWait& wait, Clock& clock,
                                              const std::function<Result<LockTry>()>& try_once) {
  const auto deadline = clock.Steady() + wait.longest;
  bool told = false;
  while (true) {
    if (wait.stop.stop_requested()) return CancelledError();
    Result<LockTry> attempt = try_once();
    if (attempt.ok() && attempt->lock != nullptr) return std::move(attempt->lock);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Steady());
    if (!attempt.ok()) {
      // A place that does not answer for a moment has not said no.
      if (!IsRetryable(attempt.status()) || left.count() <= 0) return attempt.status();
    } else if (left.count() <= 0) {
      return HeldStatus(wait, attempt->holder_note);
    } else if (!std::exchange(told, true)) {
      LogWarning("Another run holds view {}{}; waiting for it for up to {} s", wait.view,
                 HolderOf(attempt->holder_note), SecondsOf(wait.longest));
    }
    if (!clock.Wait(std::min(left, wait.poll), wait.stop)) return CancelledError();
  }
}

std::string NoteOfThisProcess(int64_t now_us) {
  return fmt::format("pid {} on host {} since {}", ::getpid(), HostName(), FormatRfc3339(now_us));
}

}  // namespace banquet
