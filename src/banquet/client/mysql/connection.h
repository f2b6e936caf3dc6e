#pragma once
// MySQL's and MariaDB's C library behind RAII and our errors; the only folder that sees mysql.h.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"

struct st_mysql;

namespace banquet::mysql {

struct ConnectionSettings {
  std::string host;
  unsigned port = 3306;
  std::string user;
  std::string password;
  std::string database;
  std::string unix_socket;       // Instead of host and port, unless empty.
  std::string ca_file;           // Whose certificates are trusted; not empty: TLS or nothing.
  std::string certificate_file;  // Ours, with its key.
  std::string key_file;
  bool verify_identity = true;  // With ca_file: that the certificate is the host's.
  std::string server;           // Names the server in errors.
  // Whole seconds, at least one.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};  // Of one answer.
};

struct Answer {
  // Texts in UTF-8, numbers in decimals, binary columns as their bytes; nullopt: NULL.
  std::vector<std::vector<std::optional<std::string>>> rows;
  int64_t matched = 0;  // Rows that an UPDATE or DELETE found or an INSERT added.
};

// One session, in UTF-8, committing each statement unless a transaction was begun. Used by one
// thread. A stop is noticed only between statements: their waits are the library's own.
//
// Errors: lost and refused connections, deadlocks, lock timeouts and a server that is full, stops
// or only reads are retryable remote errors; logins, rights, databases and tables that are not
// there are the user's; values that the server cannot take are data errors.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const ConnectionSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One statement; its whole result is fetched.
  Result<Answer> Run(std::string_view sql);

 private:
  explicit Connection(std::string server) : server_(std::move(server)) {}
  Status Connect(const ConnectionSettings& settings);
  Status ErrorNow() const;

  const std::string server_;
  st_mysql* handle_ = nullptr;
};

// Literals that no content can leave, whatever the server's mode.
std::string TextLiteral(std::string_view text);
std::string BytesLiteral(std::string_view bytes);

// The error of a call that failed with the library's or server's `number` and `text`.
Status ErrorOfNumber(unsigned number, std::string_view text, const std::string& server);

}  // namespace banquet::mysql
