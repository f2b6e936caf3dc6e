#pragma once
// A real Postgres for tests: made in a folder of its own, listening on a free loopback port, ended
// by its process number. Its superuser is `feast`, password `feast`, database `feast`.

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
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
#include "banquet/client/postgres/connection.h"

extern char** environ;

namespace banquet::postgres {

class LivePostgres {
 public:
  // `configuration`: lines for postgresql.conf.
  static Result<std::unique_ptr<LivePostgres>> Start(const std::string& configuration = {}) {
    std::unique_ptr<LivePostgres> server(new LivePostgres);
    BANQUET_RETURN_NOT_OK(server->MakeFolder());
    BANQUET_ASSIGN_OR_RETURN(server->port_, FreePort());
    BANQUET_RETURN_NOT_OK(server->InitDb());
    std::ofstream(server->data() + "/postgresql.conf", std::ios::app)
        << "port = " << server->port_ << "\nlisten_addresses = '127.0.0.1'\n"
        << "unix_socket_directories = '" << server->folder_ << "'\nfsync = off\n"
        << configuration << "\n";
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
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGQUIT);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
  }
  Status Restart() {
    Kill();
    return Launch();
  }
  // Reads the configuration anew.
  void Reload() const { kill(pid_, SIGHUP); }

  // Gives a file to the account that the server runs as.
  Status Own(const std::string& path) const {
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

  static Result<int> FreePort() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(listener);
    if (!bound) return RemoteError({}, "no free port for Postgres");
    return ntohs(address.sin_port);
  }

  // Debian keeps the server's programs out of the PATH, in a folder per version.
  static std::string Program(const std::string& name) {
    std::string newest = name;
    std::error_code missing;
    for (const auto& version :
         std::filesystem::directory_iterator("/usr/lib/postgresql", missing)) {
      const std::string path = version.path() / "bin" / name;
      if (std::filesystem::exists(path)) newest = std::max(newest, path);
    }
    return newest;
  }

  static Result<pid_t> Spawn(std::vector<std::string> words) {
    if (geteuid() == 0) {
      const std::vector<std::string> as_account = {"setpriv", std::string("--reuid=") + kAccount,
                                                   "--regid=nogroup", "--clear-groups"};
      words.insert(words.begin(), as_account.begin(), as_account.end());
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return pid;
    return RemoteError({}, "Postgres cannot be started; install it (apt: postgresql): {}",
                       std::strerror(error));
  }

  Status InitDb() {
    const std::string password_file = folder_ + "/password";
    std::ofstream(password_file) << "feast\n";
    BANQUET_RETURN_NOT_OK(Own(password_file));
    BANQUET_ASSIGN_OR_RETURN(const pid_t pid,
                             Spawn({Program("initdb"), "--no-sync", "--pgdata=" + data(),
                                    "--username=feast", "--auth=scram-sha-256", "--encoding=UTF8",
                                    "--locale=C.UTF-8", "--pwfile=" + password_file}));
    int status = 0;
    waitpid(pid, &status, 0);
    return status == 0 ? Status::OK() : RemoteError({}, "initdb failed; is Postgres installed?");
  }

  Status Launch() {
    BANQUET_ASSIGN_OR_RETURN(pid_, Spawn({Program("postgres"), "-D", data()}));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    Status last;
    while (std::chrono::steady_clock::now() < deadline) {
      last = Connection::Open(SettingsFor("postgres")).status();
      if (last.ok()) return last;
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return RemoteError({}, "Postgres ended at its start");
      }
      usleep(20'000);
    }
    return last;
  }

  std::string folder_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace banquet::postgres
