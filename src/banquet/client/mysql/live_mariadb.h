#pragma once
// A real MariaDB for tests: made in a folder of its own, listening on a free loopback port, ended
// by its process number. Its user is `feast`, password `fe@st`, with all rights.

#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/mysql/connection.h"
#include "banquet/client/process/server_for_test.h"

namespace banquet::mysql {

class LiveMariadb {
 public:
  // `arguments`: further ones for the server.
  static Result<std::unique_ptr<LiveMariadb>> Start(std::vector<std::string> arguments = {}) {
    std::unique_ptr<LiveMariadb> server(new LiveMariadb);
    std::string folder = ::testing::TempDir() + "/banquet-mariadb-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return RemoteError({}, "no folder for MariaDB");
    server->folder_ = folder;
    server->arguments_ = std::move(arguments);
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    BANQUET_RETURN_NOT_OK(server->Install());
    BANQUET_RETURN_NOT_OK(server->Launch());
    ConnectionSettings root = server->SettingsFor("");
    root.user = "root";
    root.password = "";
    root.unix_socket = server->socket();
    BANQUET_ASSIGN_OR_RETURN(auto connection, Connection::Open(root));
    BANQUET_RETURN_NOT_OK(connection->Run("CREATE USER feast@'127.0.0.1' IDENTIFIED BY 'fe@st'"));
    BANQUET_RETURN_NOT_OK(
        connection->Run("GRANT ALL ON *.* TO feast@'127.0.0.1' WITH GRANT OPTION"));
    return server;
  }
  ~LiveMariadb() {
    process_.End();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  int port() const { return port_; }
  std::string socket() const { return folder_ + "/socket"; }

  ConnectionSettings SettingsFor(const std::string& database) const {
    return {.host = "127.0.0.1",
            .port = static_cast<unsigned>(port_),
            .user = "feast",
            .password = "fe@st",
            .database = database,
            .server = "mariadb under test"};
  }

  // Without a farewell, as if the machine had failed.
  void Kill() { process_.End(SIGKILL); }
  Status Launch() {
    std::vector<std::string> words = {"/usr/sbin/mariadbd",
                                      "--no-defaults",
                                      "--user=" + Account(),
                                      "--datadir=" + folder_ + "/data",
                                      "--socket=" + socket(),
                                      "--bind-address=127.0.0.1",
                                      "--port=" + std::to_string(port_),
                                      "--innodb-flush-log-at-trx-commit=0",
                                      "--innodb-buffer-pool-size=16M"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    BANQUET_ASSIGN_OR_RETURN(process_, ServerProcess::Start(std::move(words)));
    return process_.Await("MariaDB", [&] { return Listens(port_); });
  }

 private:
  LiveMariadb() = default;

  static std::string Account() {
    const passwd* account = getpwuid(geteuid());
    return account == nullptr ? "root" : account->pw_name;
  }

  Status Install() {
    BANQUET_ASSIGN_OR_RETURN(
        ServerProcess install,
        ServerProcess::Start({"mariadb-install-db", "--no-defaults", "--user=" + Account(),
                              "--auth-root-authentication-method=normal", "--skip-test-db",
                              "--datadir=" + folder_ + "/data"}));
    return install.Wait() == 0
               ? Status::OK()
               : RemoteError({}, "mariadb-install-db failed; is MariaDB installed?");
  }

  std::string folder_;
  std::vector<std::string> arguments_;
  int port_ = 0;
  ServerProcess process_;
};

}  // namespace banquet::mysql
