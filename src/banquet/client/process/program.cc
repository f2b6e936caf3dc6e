#include "banquet/client/process/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <sstream>

#include "banquet/base/clock.h"
#include "banquet/base/environment.h"
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

// Its output, line by line.
class Output {
 public:
  Output(FileDescriptor reading, const std::function<void(std::string_view)>& tell)
      : reading_(std::move(reading)), lines_(tell), buffer_(64 << 10) {}
  ~Output() { lines_.End(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  enum class State { kRead, kNothing, kClosed };
  // Takes what is there or comes within the time.
  State Take(int wait_ms) {
    pollfd waited = {.fd = reading_.get(), .events = POLLIN, .revents = 0};
    const int ready = poll(&waited, 1, wait_ms);
    if (ready <= 0) return State::kNothing;
    const ssize_t size = read(reading_.get(), buffer_.data(), buffer_.size());
    if (size < 0 && errno == EINTR) return State::kNothing;
    if (size <= 0) return State::kClosed;
    lines_.Add({buffer_.data(), static_cast<size_t>(size)});
    return State::kRead;
  }
  void TakeAll() {
    while (Take(0) == State::kRead) {
    }
  }

 private:
  const FileDescriptor reading_;
  Lines lines_;
  std::vector<char> buffer_;
};

// Reads on meanwhile: what waits for its output to be taken cannot end.
Status EndGroup(Group* group, Output* output, const Program& program) {
  group->Signal(SIGTERM);
  const auto deadline = SystemClock().Steady() + program.grace;
  while (!group->CodeIfEnded().has_value()) {
    if (SystemClock().Steady() >= deadline) break;  // Its destructor kills.
    output->TakeAll();
    SystemClock().Wait(kLookAgain, {});
  }
  output->TakeAll();
  return CancelledError();
}

}  // namespace

Result<int> RunProgram(const Program& program) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return RemoteError({}, "{}: {}", program.words.front(), std::strerror(errno));
  Output output(FileDescriptor(ends[0]), program.on_line);
  FileDescriptor writing(ends[1]);
  BANQUET_ASSIGN_OR_RETURN(const pid_t pid, Spawn(program, writing.get()));
  Group group(pid);
  writing = FileDescriptor();
  std::optional<int> code;
  for (auto state = Output::State::kRead; state != Output::State::kClosed;) {
    if (program.stop.stop_requested()) return EndGroup(&group, &output, program);
    state = output.Take(kLookAtStopMs);
    // Something that it started may keep its output open after it has ended.
    if (state == Output::State::kNothing && (code = group.CodeIfEnded()).has_value()) {
      output.TakeAll();
      break;
    }
  }
  while (!code.has_value()) {
    if (program.stop.stop_requested()) return EndGroup(&group, &output, program);
    code = group.CodeIfEnded();
    if (!code.has_value()) SystemClock().Wait(kLookAgain, {});
  }
  return *code;
}

std::string FindProgram(const std::string& word) {
  const auto may_run = [](const std::string& path) {
    struct stat state = {};
    return stat(path.c_str(), &state) == 0 && S_ISREG(state.st_mode) &&
           access(path.c_str(), X_OK) == 0;
  };
  if (word.find('/') != std::string::npos) return may_run(word) ? word : "";
  const std::string folders = FirstOfEnvironment({"PATH"});
  for (size_t begin = 0; begin <= folders.size();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string path = folders.substr(begin, end - begin) + "/" + word;
    if (end > begin && may_run(path)) return path;
    begin = end + 1;
  }
  return "";
}

Result<int64_t> OwnStartTicks() {
  BANQUET_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile("/proc/self/stat"));
  // proc_pid_stat(5): the 22nd field, the 20th after the name, which may hold anything.
  constexpr int kAfterName = 20;
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size() - 1) + 1));
  std::string field;
  for (int i = 0; i < kAfterName; ++i) fields >> field;
  int64_t ticks = 0;
  if (std::from_chars(field.data(), field.data() + field.size(), ticks).ec == std::errc())
    return ticks;
  return Bug("/proc/self/stat does not say when this process began");
}

}  // namespace banquet
