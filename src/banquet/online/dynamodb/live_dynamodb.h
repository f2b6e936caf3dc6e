#pragma once
// Amazon's own DynamoDB Local for tests: started on a free loopback port, all in memory, ended by
// its process number. Each region is a database of its own.

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "banquet/base/testing.h"

extern char** environ;

namespace banquet::dynamodb {

class LiveDynamo {
 public:
  static Result<std::unique_ptr<LiveDynamo>> Start() {
    std::unique_ptr<LiveDynamo> server(new LiveDynamo);
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    BANQUET_RETURN_NOT_OK(server->Launch());
    return server;
  }
  ~LiveDynamo() { Kill(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
  }

 private:
  LiveDynamo() = default;

  static Result<int> FreePort() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = LoopbackAt(0);
    socklen_t size = sizeof address;
    const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(listener);
    if (!bound) return RemoteError({}, "no free port for DynamoDB Local");
    return ntohs(address.sin_port);
  }
  static sockaddr_in LoopbackAt(int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  // build/<preset>/bin/<test> -> build/deps
  static std::string Home() {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
    return self.parent_path().parent_path().parent_path() / "deps" / "dynamodb-local";
  }

  Status Launch() {
    const std::string library = Home() + "/lib";
    std::vector<std::string> words = {"java",
                                      "-Xmx512m",
                                      "-XX:+UseSerialGC",
                                      "-XX:TieredStopAtLevel=1",
                                      "-Dsqlite4java.library.path=" + library,
                                      "-cp",
                                      library + "/*",
                                      "software.amazon.dynamodb.services.local.main.ServerRunner",
                                      "-inMemory",
                                      "-port",
                                      std::to_string(port_)};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    const int error = posix_spawnp(&pid_, "java", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      pid_ = 0;
      return RemoteError({}, "java cannot be started; run scripts/bootstrap test: {}",
                         std::strerror(error));
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = LoopbackAt(port_);
      const bool up =
          connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      close(probe);
      if (up) return Status::OK();
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return RemoteError({}, "DynamoDB Local ended at its start; is it in {}?", Home());
      }
      usleep(20'000);
    }
    return RemoteError({}, "DynamoDB Local does not answer");
  }

  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace banquet::dynamodb
