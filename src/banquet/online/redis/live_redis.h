#pragma once
// A real redis-server for tests: started on a free loopback port in a folder of its own, ended by
// its process number.

#include <arpa/inet.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/online/redis/connection.h"

extern char** environ;

namespace banquet::redis {

class LiveRedis {
 public:
  // `arguments` follow those for port and folder; `configuration` is the text of a file that the
  // server may rewrite, as a sentinel does. Empty: none.
  static Result<std::unique_ptr<LiveRedis>> Start(std::vector<std::string> arguments = {},
                                                  const std::string& configuration = {}) {
    std::unique_ptr<LiveRedis> server(new LiveRedis);
    std::string folder = ::testing::TempDir() + "/banquet-redis-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return RemoteError({}, "no folder for redis-server");
    server->folder_ = folder;
    server->arguments_ = std::move(arguments);
    server->configuration_ = configuration;
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    BANQUET_RETURN_NOT_OK(server->Launch());
    return server;
  }
  ~LiveRedis() {
    Kill();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  std::string connection_string() const { return "127.0.0.1:" + std::to_string(port_); }

  // A connection for looking at the server from outside the store.
  Result<std::unique_ptr<Connection>> Connect(const std::string& parameters = "") const {
    BANQUET_ASSIGN_OR_RETURN(ServerAddress address,
                             ParseConnectionString(connection_string() + parameters));
    return Connection::Open({.address = std::move(address)});
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
  }
  // Starts it again, empty, on the same port.
  Status Restart() {
    Kill();
    return Launch();
  }

  static Result<int> FreePort() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(listener);
    if (!bound) return RemoteError({}, "no free port for redis-server");
    return ntohs(address.sin_port);
  }

 private:
  LiveRedis() = default;

  Status Launch() {
    std::vector<std::string> words = {
        "redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir",    folder_,
        "--save",       "",       "--appendonly",        "no",     "--logfile", "redis.log"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    if (!configuration_.empty()) {
      const std::string path = folder_ + "/redis.conf";
      std::ofstream(path) << configuration_;
      words.insert(words.begin() + 1, path);
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int error = posix_spawnp(&pid_, "redis-server", nullptr, nullptr, argv.data(), environ);
    if (error != 0) {
      pid_ = 0;
      return RemoteError({}, "redis-server cannot be started; install it (apt: redis-server): {}",
                         std::strerror(error));
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<uint16_t>(port_));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const bool up = connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      close(probe);
      if (up) return Status::OK();
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return RemoteError({}, "redis-server ended at its start");
      }
      usleep(5000);
    }
    return RemoteError({}, "redis-server does not answer");
  }

  std::string folder_;
  std::vector<std::string> arguments_;
  std::string configuration_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace banquet::redis
