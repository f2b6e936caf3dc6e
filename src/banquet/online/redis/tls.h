#pragma once
// TLS over a connected socket (OpenSSL).

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "banquet/base/status.h"
#include "banquet/online/redis/dial.h"
#include "banquet/online/redis/tls_settings.h"

struct ssl_ctx_st;
struct ssl_st;

namespace banquet::redis {

// A session of one connection, TLS 1.2 at least. Reads and writes as recv and send do on a socket
// that does not block: bytes, 0 at the peer's end, or -1 and errno; EPROTO for what TLS refuses,
// told by `failure`. The process ignores SIGPIPE (main.cc), since OpenSSL writes by write().
class TlsSession {
 public:
  // Shakes hands and verifies the peer as `host`, an address or a name. What the user can mend
  // (files, a certificate that is not trusted, a server without TLS) is a user error. `server`
  // names the peer in errors.
  static Result<std::unique_ptr<TlsSession>> Open(const TlsSettings& settings,
                                                  const std::string& host, const Socket& socket,
                                                  std::chrono::steady_clock::time_point deadline,
                                                  const std::stop_token& stop,
                                                  const std::string& server);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  ssize_t Write(const char* data, size_t size);
  ssize_t Read(char* data, size_t size);
  // Bytes that Read gives though the socket has none.
  bool has_pending() const;
  // The last Read waits until the socket takes bytes.
  bool wants_write() const { return wants_write_; }
  const std::string& failure() const { return failure_; }

 private:
  TlsSession() = default;
  Status Configure(const TlsSettings& settings, const std::string& server);
  Status VerifyAs(const TlsSettings& settings, const std::string& host);
  Status Handshake(const Socket& socket, std::chrono::steady_clock::time_point deadline,
                   const std::stop_token& stop, const std::string& server);
  Status HandshakeError(const std::string& server) const;
  ssize_t Fail(int result);

  ssl_ctx_st* context_ = nullptr;
  ssl_st* session_ = nullptr;
  bool wants_write_ = false;
  std::string failure_;
};

}  // namespace banquet::redis
