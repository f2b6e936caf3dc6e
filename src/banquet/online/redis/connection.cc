#include "banquet/online/redis/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/client/network/wait_ready.h"
#include "banquet/online/redis/name_lookup.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/sentinel.h"

namespace banquet::redis {
namespace {

using std::chrono::milliseconds;
// The kernel waits in real time, so that an exchangeable clock would only
// mislead.
using RealClock = std::chrono::steady_clock;

constexpr size_t kReceiveBytes = 64 << 10;
constexpr size_t kSendBytesMax = 1 << 20;  // Of one system call.

// Never with the server's text, which may repeat what we sent.
Status LoginRefused(const std::string& server, std::string_view error) {
  const ReplyFate fate = RuleOf(error).fate;
  if (fate == ReplyFate::kAgain || fate == ReplyFate::kReconnect) {
    return ErrorOfReply(error, server, "AUTH");
  }
  if (error.find("without any password configured") != std::string_view::npos) {
    return UserError("{} asks for no password; remove it from connection_string", server);
  }
  return UserError(
      "{} refused the login ({}); mend username and password in "
      "connection_string",
      server, error.starts_with("WRONGPASS") ? "WRONGPASS" : "AUTH");
}

Result<SocketAddress> UnixAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return UserError("online_store.connection_string: unix_socket_path is too long: {}", path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return SocketAddress{
      .family = AF_UNIX,
      .bytes = std::string(reinterpret_cast<const char*>(&address), sizeof address)};
}

}  // namespace

Connection::Connection(ConnectionSettings settings)
    : settings_(std::move(settings)),
      server_(settings_.address.Describe()),
      stall_timeout_(settings_.connect_timeout),
      received_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)) {}

Result<std::unique_ptr<Connection>> Connection::Open(ConnectionSettings settings) {
  if (!settings.sentinels.empty()) {
    BANQUET_ASSIGN_OR_RETURN(settings.address, FindMaster(settings));
  }
  std::unique_ptr<Connection> connection(new Connection(std::move(settings)));
  BANQUET_RETURN_NOT_OK(
      connection->Connect(RealClock::now() + connection->settings_.connect_timeout));
  if (connection->settings_.logs_in) BANQUET_RETURN_NOT_OK(connection->LogIn());
  if (!connection->settings_.sentinels.empty()) BANQUET_RETURN_NOT_OK(connection->CheckRole());
  connection->stall_timeout_ = connection->settings_.stall_timeout;
  connection->logged_in_ = true;
  return connection;
}

Status Connection::Connect(RealClock::time_point deadline) {
  const ServerAddress& address = settings_.address;
  if (!address.unix_socket_path.empty()) {
    BANQUET_ASSIGN_OR_RETURN(const SocketAddress path, UnixAddress(address.unix_socket_path));
    BANQUET_ASSIGN_OR_RETURN(socket_, Dial(std::span(&path, 1), deadline, settings_.stop, server_));
    return Status::OK();
  }
  BANQUET_ASSIGN_OR_RETURN(
      const std::vector<SocketAddress> addresses,
      LookUpHost(address.host, address.port, deadline, settings_.stop, server_));
  BANQUET_ASSIGN_OR_RETURN(socket_, Dial(addresses, deadline, settings_.stop, server_));
  if (!address.tls.enabled) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(tls_, TlsSession::Open(address.tls, address.host, socket_, deadline,
                                                  settings_.stop, server_));
  return Status::OK();
}

Status Connection::LogIn() {
  const ServerAddress& address = settings_.address;
  const bool auth = !address.password.empty();
  if (auth && address.username.empty()) {
    commands_.Command({"AUTH", address.password});
  } else if (auth) {
    commands_.Command({"AUTH", address.username, address.password});
  }
  const std::string db = std::to_string(address.db);
  commands_.Command({"SELECT", db});
  commands_.Command({"CLIENT", "SETNAME", "banquet"});
  commands_.Command({"CLIENT", "ID"});
  if (auth) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, Receive());
    if (reply->IsError()) return LoginRefused(server_, reply->text());
  }
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, Receive());
  // DB 0 is where a connection begins, with or without the right to SELECT.
  if (reply->IsError() && (address.db != 0 || !reply->text().starts_with("NOPERM"))) {
    return ErrorOfReply(reply->text(), server_, "SELECT");
  }
  BANQUET_RETURN_NOT_OK(Receive().status());  // A name helps those who look; nothing needs it.
  BANQUET_ASSIGN_OR_RETURN(reply, Receive());
  if (reply->kind() == ReplyKind::kInteger) id_ = reply->integer();
  return Status::OK();
}

// Sentinels name the old master for a moment after a fail-over.
Status Connection::CheckRole() {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, Call({"ROLE"}));
  if (reply->IsError()) {
    // Without the right to ask, a replica tells itself by refusing writes.
    return reply->text().starts_with("NOPERM") ? Status::OK()
                                               : ErrorOfReply(reply->text(), server_, "ROLE");
  }
  if (reply->size() > 1 && reply->text(1) == "master") return Status::OK();
  return RemoteError({.retryable = true},
                     "{} is no master, though the sentinels name it; a fail-over may be under way",
                     server_);
}

void Connection::Push() {
  while (send_error_ == 0) {
    const std::string_view unsent = commands_.unsent();
    if (unsent.empty()) return;
    const ssize_t sent = SendSome(unsent.data(), std::min(unsent.size(), kSendBytesMax));
    if (sent > 0) {
      commands_.Sent(static_cast<size_t>(sent));
      progress_at_ = RealClock::now();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      send_error_ = errno;
    }
  }
}

Result<const Reply*> Connection::Receive() {
  bool waited = false;
  bool ended = false;
  while (true) {
    Result<const Reply*> reply = reader_.Next();
    if (!reply.ok()) return Annotate(reply.status(), server_);
    if (*reply != nullptr) return reply;
    if (ended) {
      if (send_error_ != 0) return Broken(send_error_);
      return RemoteError({.retryable = true}, "{} closed the connection", server_);
    }
    if (!waited) progress_at_ = RealClock::now();
    waited = true;
    Push();
    const bool sending = send_error_ == 0 && !commands_.unsent().empty();
    BANQUET_RETURN_NOT_OK(WaitForServer(static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN)));
    BANQUET_RETURN_NOT_OK(TakeIn(&ended));
  }
}

Result<const Reply*> Connection::Call(std::initializer_list<std::string_view> words) {
  commands_.Command(words);
  return Receive();
}

Status Connection::Pause(milliseconds duration) const {
  return SystemClock().Wait(duration, settings_.stop) ? Status::OK() : CancelledError();
}

ssize_t Connection::SendSome(const char* data, size_t size) {
  if (tls_ != nullptr) return tls_->Write(data, size);
  return send(socket_.get(), data, size, MSG_NOSIGNAL);
}

ssize_t Connection::ReceiveSome(char* data, size_t size) {
  if (tls_ != nullptr) return tls_->Read(data, size);
  return recv(socket_.get(), data, size, 0);
}

Status Connection::TakeIn(bool* ended) {
  const ssize_t size = ReceiveSome(received_.get(), kReceiveBytes);
  if (size > 0) {
    progress_at_ = RealClock::now();
    return Annotate(reader_.Feed({received_.get(), static_cast<size_t>(size)}), server_);
  }
  if (size == 0) {
    *ended = true;
    return Status::OK();
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Status::OK();
  return Broken(errno);
}

// Until the server has not moved for the stall timeout.
Status Connection::WaitForServer(short events) {
  if (tls_ != nullptr && tls_->has_pending()) return Status::OK();
  if (tls_ != nullptr && tls_->wants_write()) events |= POLLOUT;
  BANQUET_ASSIGN_OR_RETURN(
      const bool ready,
      WaitReady(socket_.get(), events, progress_at_ + stall_timeout_, settings_.stop, server_));
  if (ready) return Status::OK();
  return RemoteError({.retryable = true}, "{} did not answer for {} ms ({})", server_,
                     stall_timeout_.count(),
                     logged_in_ ? "banquet.stall_timeout" : "banquet.connect_timeout");
}

Status Connection::Broken(int error) const {
  const bool is_tls = error == EPROTO && tls_ != nullptr;
  return RemoteError({.retryable = true}, "{}: {}", server_,
                     is_tls ? tls_->failure().c_str() : std::strerror(error));
}

}  // namespace banquet::redis
