#pragma once
// One logged-in connection to a Redis server.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection_string.h"
#include "banquet/online/redis/dial.h"
#include "banquet/online/redis/resp.h"
#include "banquet/online/redis/tls.h"

namespace banquet::redis {

struct ConnectionSettings {
  ServerAddress address;
  // Not empty: they tell host and port of the server that is the master of that name at the time.
  std::vector<ServerAddress> sentinels;
  std::string master;
  bool logs_in = true;  // False: nothing is sent before the caller's own commands.
  std::chrono::milliseconds connect_timeout{10'000};  // Name and connection; a login's stall.
  std::chrono::milliseconds stall_timeout{60'000};    // Without a byte sent or received.
  std::stop_token stop;                               // Looked at every 100 ms.
};

// Append commands, then Receive their replies in order; what waits is sent
// meanwhile. Any error of Receive ends the connection. Used by one thread.
class Connection {
 public:
  // AUTH, SELECT, CLIENT SETNAME, CLIENT ID. A refused login is a user error; a server that
  // sentinels name but that is no master (yet) is a retryable remote error.
  static Result<std::unique_ptr<Connection>> Open(ConnectionSettings settings);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  CommandBuffer* commands() { return &commands_; }
  // Sends what the kernel takes at once. What goes wrong is told by Receive.
  void Push();
  // The next reply, also an error reply. Borrowed until the next call.
  Result<const Reply*> Receive();
  // Sends one command and receives its reply.
  Result<const Reply*> Call(std::initializer_list<std::string_view> words);
  // Sleeps. A stop is told as cancelled.
  Status Pause(std::chrono::milliseconds duration) const;

  // The server's number of this connection; nullopt: it does not tell.
  std::optional<int64_t> id() const { return id_; }
  const std::string& server() const { return server_; }  // Describe() of the address.
  std::chrono::milliseconds stall_timeout() const { return stall_timeout_; }

 private:
  explicit Connection(ConnectionSettings settings);
  Status Connect(std::chrono::steady_clock::time_point deadline);
  Status LogIn();
  Status CheckRole();
  Status TakeIn(bool* ended);
  // send and recv, through TLS where that is asked for.
  ssize_t SendSome(const char* data, size_t size);
  ssize_t ReceiveSome(char* data, size_t size);
  Status WaitForServer(short events);
  Status Broken(int error) const;

  const ConnectionSettings settings_;
  const std::string server_;
  std::chrono::milliseconds stall_timeout_;
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;  // nullptr: plain.
  int send_error_ = 0;               // errno; what the server said before is still to be read.
  bool logged_in_ = false;
  CommandBuffer commands_;
  ReplyReader reader_;
  std::unique_ptr<char[]> received_;
  std::chrono::steady_clock::time_point progress_at_;
  std::optional<int64_t> id_;
};

}  // namespace banquet::redis
