#pragma once
// A real redis-server for tests: started on a free loopback port in a folder of its own, ended by
// its process number.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/process/server_for_test.h"
#include "banquet/online/redis/connection.h"

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
  pid_t pid() const { return process_.pid(); }
  const std::string& folder() const { return folder_; }
  std::string connection_string() const { return "127.0.0.1:" + std::to_string(port_); }

  // A connection for looking at the server from outside the store.
  Result<std::unique_ptr<Connection>> Connect(const std::string& parameters = "") const {
    BANQUET_ASSIGN_OR_RETURN(ServerAddress address,
                             ParseConnectionString(connection_string() + parameters));
    return Connection::Open({.address = std::move(address)});
  }

  void Kill() { process_.End(); }
  // Starts it again, empty, on the same port.
  Status Restart() {
    Kill();
    return Launch();
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
    BANQUET_ASSIGN_OR_RETURN(process_, ServerProcess::Start(std::move(words)));
    return process_.Await("redis-server", [&] { return Listens(port_); });
  }

  std::string folder_;
  std::vector<std::string> arguments_;
  std::string configuration_;
  int port_ = 0;
  ServerProcess process_;
};

}  // namespace banquet::redis
