#include "banquet/online/redis/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "banquet/online/redis/name_lookup.h"
#include "banquet/online/redis/reply_class.h"

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

}  // namespace

Connection::Connection(ConnectionSettings settings)
    : settings_(std::move(settings)),
      server_(settings_.address.Describe()),
      stall_timeout_(settings_.connect_timeout),
      received_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)) {}

Result<std::unique_ptr<Connection>> Connection::Open(ConnectionSettings settings) {
  std::unique_ptr<Connection> connection(new Connection(std::move(settings)));
  BANQUET_RETURN_NOT_OK(
      connection->Connect(RealClock::now() + connection->settings_.connect_timeout));
  BANQUET_RETURN_NOT_OK(connection->LogIn());
  connection->stall_timeout_ = connection->settings_.stall_timeout;
  connection->logged_in_ = true;
  return connection;
}

Status Connection::Connect(RealClock::time_point deadline) {
  const ServerAddress& address = settings_.address;
  BANQUET_ASSIGN_OR_RETURN(
      const std::vector<SocketAddress> addresses,
      LookUpHost(address.host, address.port, deadline, settings_.stop, server_));
  BANQUET_ASSIGN_OR_RETURN(socket_, Dial(addresses, deadline, settings_.stop, server_));
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

void Connection::Push() {
  while (send_error_ == 0) {
    const std::string_view unsent = commands_.unsent();
    if (unsent.empty()) return;
    const ssize_t sent =
        send(socket_.get(), unsent.data(), std::min(unsent.size(), kSendBytesMax), MSG_NOSIGNAL);
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

Status Connection::TakeIn(bool* ended) {
  const ssize_t size = recv(socket_.get(), received_.get(), kReceiveBytes, 0);
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
  BANQUET_ASSIGN_OR_RETURN(
      const bool ready,
      WaitReady(socket_, events, progress_at_ + stall_timeout_, settings_.stop, server_));
  if (ready) return Status::OK();
  return RemoteError({.retryable = true}, "{} did not answer for {} ms ({})", server_,
                     stall_timeout_.count(),
                     logged_in_ ? "banquet.stall_timeout" : "banquet.connect_timeout");
}

Status Connection::Broken(int error) const {
  return RemoteError({.retryable = true}, "{}: {}", server_, std::strerror(error));
}

}  // namespace banquet::redis
