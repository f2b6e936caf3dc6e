#include "banquet/client/process/command_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/network/wait_ready.h"

extern char** environ;

namespace banquet {
namespace {

using RealClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookAgain{2};

Status NotEnded(const std::string& name, const CommandLimits& limits) {
  return RemoteError({.retryable = true}, "{} did not end within {} ms", name,
                     limits.timeout.count());
}

// A child that is ended, with all that it started, and waited for, unless it has ended itself.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    Take(0);
  }
  // Its exit code; negative: the signal that ended it. nullopt: it has not ended.
  std::optional<int> CodeIfEnded() { return Take(WNOHANG); }

 private:
  std::optional<int> Take(int options) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(pid_, &status, options)) < 0 && errno == EINTR) {
    }
    if (ended != pid_) return std::nullopt;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  pid_t pid_;
};

Result<pid_t> Spawn(const std::string& line, int output, const std::string& name) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // So that its children end too.
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string command = line;
  char* argv[] = {shell.data(), option.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, shell.c_str(), &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  return RemoteError({}, "{} cannot be started: {}", name, std::strerror(error));
}

}  // namespace

Result<std::string> OutputOf(const std::string& line, const std::string& name,
                             const CommandLimits& limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return RemoteError({}, "{}: {}", name, std::strerror(errno));
  FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  BANQUET_ASSIGN_OR_RETURN(const pid_t pid, Spawn(line, writing.get(), name));
  Child child(pid);
  writing = FileDescriptor();
  const auto deadline = RealClock::now() + limits.timeout;
  std::string output;
  std::vector<char> buffer(4096);
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const bool ready,
                             WaitReady(reading.get(), POLLIN, deadline, limits.stop, name));
    if (!ready) return NotEnded(name, limits);
    const ssize_t size = read(reading.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return RemoteError({}, "{}: {}", name, std::strerror(errno));
    if (size == 0) break;
    output.append(buffer.data(), static_cast<size_t>(size));
    if (output.size() > limits.bytes_max) {
      return UserError("{} prints more than {} bytes", name, limits.bytes_max);
    }
  }
  // It may have closed its output and go on.
  std::optional<int> code;
  while (!(code = child.CodeIfEnded()).has_value()) {
    if (RealClock::now() >= deadline) return NotEnded(name, limits);
    if (!SystemClock().Wait(kLookAgain, limits.stop)) return CancelledError();
  }
  if (*code == 0) return output;
  return UserError("{} failed with exit code {}; run it by hand to see why", name, *code);
}

}  // namespace banquet
