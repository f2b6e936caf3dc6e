#include "banquet/client/process/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "banquet/base/clock.h"
#include "banquet/client/filesystem/file_descriptor.h"

extern char** environ;

namespace banquet {
namespace {

constexpr size_t kLineBytesMax = 64 << 10;
constexpr int kLookAtStopMs = 100;
constexpr std::chrono::milliseconds kLookAgain(20);

// The environment of a child: ours, with some variables replaced.
class ChildEnvironment {
 public:
  explicit ChildEnvironment(const std::vector<std::pair<std::string, std::string>>& added) {
    for (char** one = environ; *one != nullptr; ++one) {
      const std::string_view entry = *one;
      const std::string_view name = entry.substr(0, entry.find('='));
      bool is_replaced = false;
      for (const auto& [key, value] : added) is_replaced = is_replaced || key == name;
      if (!is_replaced) entries_.emplace_back(entry);
    }
    for (const auto& [key, value] : added) entries_.push_back(key + "=" + value);
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

// Whole lines of what comes; the rest at the end.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& tell) : tell_(tell) {}
  void Add(std::string_view text) {
    for (const char c : text) {
      if (c == '\n') {
        End();
      } else if (line_.size() < kLineBytesMax) {
        line_.push_back(c);
      }
    }
  }
  void End() {
    if (!line_.empty() && tell_) tell_(line_);
    line_.clear();
  }

 private:
  const std::function<void(std::string_view)>& tell_;
  std::string line_;
};

class Group {
 public:
  explicit Group(pid_t pid) : pid_(pid) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    Take(0);
  }
  void Signal(int signal) const { kill(-pid_, signal); }
  // Its exit code once it has ended.
  std::optional<int> CodeIfEnded() { return Take(WNOHANG); }

 private:
  std::optional<int> Take(int options) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(pid_, &status, options)) < 0 && errno == EINTR) {
    }
    if (ended != pid_) return std::nullopt;
    kill(-pid_, SIGKILL);  // What it left behind.
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t pid_;
};

Result<pid_t> Spawn(const Program& program, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> words = program.words;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ChildEnvironment environment(program.environment);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  return UserError("{} cannot be started: {}", program.words.front(), std::strerror(error));
}

Status EndGroup(Group* group, const Program& program) {
  group->Signal(SIGTERM);
  const auto deadline = SystemClock().Steady() + program.grace;
  while (!group->CodeIfEnded().has_value()) {
    if (SystemClock().Steady() >= deadline) break;  // Its destructor kills.
    SystemClock().Wait(kLookAgain, {});
  }
  return CancelledError();
}

}  // namespace

Result<int> RunProgram(const Program& program) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return RemoteError({}, "{}: {}", program.words.front(), std::strerror(errno));
  FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  BANQUET_ASSIGN_OR_RETURN(const pid_t pid, Spawn(program, writing.get()));
  Group group(pid);
  writing = FileDescriptor();
  Lines lines(program.on_line);
  std::vector<char> buffer(64 << 10);
  std::optional<int> code;
  while (true) {
    if (program.stop.stop_requested()) return EndGroup(&group, program);
    pollfd waited = {.fd = reading.get(), .events = POLLIN, .revents = 0};
    const int ready = poll(&waited, 1, kLookAtStopMs);
    if (ready > 0) {
      const ssize_t size = read(reading.get(), buffer.data(), buffer.size());
      if (size > 0) {
        lines.Add({buffer.data(), static_cast<size_t>(size)});
        continue;
      }
      if (size < 0 && errno == EINTR) continue;
      break;
    }
    // Something that it started may keep its output open after it has ended.
    if (ready == 0 && (code = group.CodeIfEnded()).has_value()) break;
  }
  lines.End();
  while (!code.has_value()) {
    if (program.stop.stop_requested()) return EndGroup(&group, program);
    code = group.CodeIfEnded();
    if (!code.has_value()) SystemClock().Wait(kLookAgain, {});
  }
  return *code;
}

}  // namespace banquet
