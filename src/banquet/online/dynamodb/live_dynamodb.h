#pragma once
// Amazon's own DynamoDB Local for tests: started on a free loopback port, all in memory, ended by
// its process number. Each region is a database of its own.

#include <filesystem>
#include <memory>
#include <string>

#include "banquet/base/testing.h"
#include "banquet/client/process/server_for_test.h"

namespace banquet::dynamodb {

class LiveDynamo {
 public:
  static Result<std::unique_ptr<LiveDynamo>> Start() {
    std::unique_ptr<LiveDynamo> server(new LiveDynamo);
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    const std::string library = Home() + "/lib";
    BANQUET_ASSIGN_OR_RETURN(
        server->process_,
        ServerProcess::Start({"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                              "-Dsqlite4java.library.path=" + library, "-cp", library + "/*",
                              "software.amazon.dynamodb.services.local.main.ServerRunner",
                              "-inMemory", "-port", std::to_string(server->port_)}));
    BANQUET_RETURN_NOT_OK(server->process_.Await("DynamoDB Local of " + Home(),
                                                 [&] { return Listens(server->port_); }));
    return server;
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  LiveDynamo() = default;

  // build/<preset>/bin/<test> -> build/deps
  static std::string Home() {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
    return self.parent_path().parent_path().parent_path() / "deps" / "dynamodb-local";
  }

  int port_ = 0;
  ServerProcess process_;
};

}  // namespace banquet::dynamodb
