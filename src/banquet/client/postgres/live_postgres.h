#pragma once
// A real Postgres for tests: made in a folder of its own, listening on a free loopback port, ended
// by its process number. Its superuser is `feast`, password `feast`, database `feast`.

#include <pwd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/postgres/connection.h"
#include "banquet/client/process/server_for_test.h"

namespace banquet::postgres {

class LivePostgres {
 public:
  // `configuration`: lines for postgresql.conf. `furnish` is given the folder of the data before
  // the server starts.
  static Result<std::unique_ptr<LivePostgres>> Start(
      const std::string& configuration = {},
      const std::function<void(const std::string&)>& furnish = [](const std::string&) {}) {
    std::unique_ptr<LivePostgres> server(new LivePostgres);
    BANQUET_RETURN_NOT_OK(server->MakeFolder());
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    BANQUET_RETURN_NOT_OK(server->InitDb());
    std::ofstream(server->data() + "/postgresql.conf", std::ios::app)
        << "port = " << server->port_ << "\nlisten_addresses = '127.0.0.1'\n"
        << "unix_socket_directories = '" << server->folder_ << "'\nfsync = off\n"
        << configuration << "\n";
    furnish(server->data());
    BANQUET_RETURN_NOT_OK(server->Launch());
    ConnectionSettings settings = server->SettingsFor("postgres");
    BANQUET_ASSIGN_OR_RETURN(auto connection, Connection::Open(settings));
    BANQUET_RETURN_NOT_OK(connection->Run("CREATE DATABASE feast"));
    return server;
  }
  ~LivePostgres() {
    Kill();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  int port() const { return port_; }
  const std::string& folder() const { return folder_; }
  std::string data() const { return folder_ + "/data"; }

  ConnectionSettings SettingsFor(const std::string& database = "feast") const {
    return {.parameters = {{"host", "127.0.0.1"},
                           {"port", std::to_string(port_)},
                           {"user", "feast"},
                           {"password", "feast"},
                           {"dbname", database},
                           {"sslmode", "disable"}},
            .server = "postgres under test"};
  }
  Result<std::unique_ptr<Connection>> Connect() const { return Connection::Open(SettingsFor()); }

  // Without a farewell, as if the machine had failed.
  void Kill() { process_.End(SIGQUIT); }
  Status Restart() {
    Kill();
    return Launch();
  }
  // Gives a file to the account that the server runs as.
  static Status Own(const std::string& path) {
    if (geteuid() != 0) return Status::OK();
    const passwd* account = getpwnam(kAccount);
    if (account != nullptr && chown(path.c_str(), account->pw_uid, account->pw_gid) == 0) {
      return Status::OK();
    }
    return RemoteError({}, "no folder for Postgres can be given to {}", kAccount);
  }

 private:
  // Postgres refuses to run as root.
  static constexpr char kAccount[] = "nobody";

  LivePostgres() = default;

  Status MakeFolder() {
    std::string folder = ::testing::TempDir() + "/banquet-postgres-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return RemoteError({}, "no folder for Postgres");
    folder_ = folder;
    return Own(folder_);
  }

  // Debian keeps the server's programs out of the PATH, in a folder per version.
  static std::string Program(const std::string& name) {
    std::string newest;
    std::error_code missing;
    for (const auto& version :
         std::filesystem::directory_iterator("/usr/lib/postgresql", missing)) {
      const std::string path = version.path() / "bin" / name;
      if (std::filesystem::exists(path)) newest = std::max(newest, path);
    }
    return newest.empty() ? name : newest;
  }

  static Result<ServerProcess> Spawn(std::vector<std::string> words) {
    if (geteuid() == 0) {
      const std::vector<std::string> as_account = {"setpriv", std::string("--reuid=") + kAccount,
                                                   "--regid=nogroup", "--clear-groups"};
      words.insert(words.begin(), as_account.begin(), as_account.end());
    }
    return ServerProcess::Start(std::move(words));
  }

  Status InitDb() {
    const std::string password_file = folder_ + "/password";
    std::ofstream(password_file) << "feast\n";
    BANQUET_RETURN_NOT_OK(Own(password_file));
    BANQUET_ASSIGN_OR_RETURN(ServerProcess initdb,
                             Spawn({Program("initdb"), "--no-sync", "--pgdata=" + data(),
                                    "--username=feast", "--auth=scram-sha-256", "--encoding=UTF8",
                                    "--locale=C.UTF-8", "--pwfile=" + password_file}));
    return initdb.Wait() == 0 ? Status::OK()
                              : RemoteError({}, "initdb failed; is Postgres installed?");
  }

  Status Launch() {
    BANQUET_ASSIGN_OR_RETURN(process_, Spawn({Program("postgres"), "-D", data()}));
    return process_.Await("Postgres",
                          [&] { return Connection::Open(SettingsFor("postgres")).ok(); });
  }

  std::string folder_;
  int port_ = 0;
  ServerProcess process_;
};

}  // namespace banquet::postgres
