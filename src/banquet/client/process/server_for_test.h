#pragma once
// Real servers as children of a test, on free loopback ports.

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

extern char** environ;

namespace banquet {

inline sockaddr_in LoopbackAt(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A socket that listens on a free port, told in `*port`; 0 there: it could not.
inline int ListenOnLoopback(int* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAt(0);
  socklen_t size = sizeof address;
  const bool listens = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       listen(listener, 64) == 0 &&
                       getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  *port = listens ? ntohs(address.sin_port) : 0;
  return listener;
}

inline Result<int> FreePort() {
  int port = 0;
  close(ListenOnLoopback(&port));
  if (port == 0) return RemoteError({}, "no free loopback port");
  return port;
}

inline bool Listens(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackAt(port);
  const bool up = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return up;
}

// A child without output, ended by its process number.
class ServerProcess {
 public:
  ServerProcess() = default;
  ServerProcess(ServerProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ServerProcess& operator=(ServerProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~ServerProcess() { End(); }

  static Result<ServerProcess> Start(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    ServerProcess started;
    const int error = posix_spawnp(&started.pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return started;
    started.pid_ = 0;
    return RemoteError({}, "{} cannot be started; run scripts/bootstrap build test: {}", words[0],
                       std::strerror(error));
  }

  // Until `is_up` says so; a child that ends before, or a minute, is an error.
  Status Await(const std::string& name, const std::function<bool()>& is_up) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      if (is_up()) return Status::OK();
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return RemoteError({}, "{} ended at its start", name);
      }
      usleep(5000);
    }
    return RemoteError({}, "{} does not answer", name);
  }

  // Its exit code, once it has ended by itself.
  int Wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void End(int signal = SIGKILL) {
    if (pid_ <= 0) return;
    kill(pid_, signal);
    Wait();
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace banquet
