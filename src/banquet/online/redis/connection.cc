#include "banquet/online/redis/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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

constexpr milliseconds kSlice{100};  // Between looks at the stop token.
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

Connection::~Connection() {
  if (socket_ >= 0) close(socket_);
}

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
  Status failure = RemoteError({}, "{}: the host has no address", server_);
  for (const SocketAddress& candidate : addresses) {
    failure = TryAddress(candidate.bytes, candidate.family, deadline);
    if (failure.ok() || FaultOf(failure) == Fault::kCancelled) return failure;
  }
  return failure;
}

Status Connection::TryAddress(const std::string& address, int family,
                              RealClock::time_point deadline) {
  if (socket_ >= 0) close(socket_);
  socket_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return Broken(errno);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(address.data()),
              static_cast<socklen_t>(address.size())) == 0) {
    return Status::OK();
  }
  if (errno != EINPROGRESS) return Broken(errno);
  BANQUET_RETURN_NOT_OK(WaitReady(POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? Status::OK() : Broken(error);
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
        send(socket_, unsent.data(), std::min(unsent.size(), kSendBytesMax), MSG_NOSIGNAL);
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
    BANQUET_RETURN_NOT_OK(WaitReady(static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN),
                                    progress_at_ + stall_timeout_));
    BANQUET_RETURN_NOT_OK(TakeIn(&ended));
  }
}

Result<const Reply*> Connection::Call(std::initializer_list<std::string_view> words) {
  commands_.Command(words);
  return Receive();
}

Status Connection::TakeIn(bool* ended) {
  const ssize_t size = recv(socket_, received_.get(), kReceiveBytes, 0);
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

Status Connection::WaitReady(short events, RealClock::time_point deadline) {
  while (true) {
    if (settings_.stop.stop_requested()) return CancelledError();
    const auto left = std::chrono::ceil<milliseconds>(deadline - RealClock::now());
    if (left.count() <= 0) {
      return RemoteError({.retryable = true}, "{} did not answer for {} ms ({})", server_,
                         stall_timeout_.count(),
                         logged_in_ ? "banquet.stall_timeout" : "banquet.connect_timeout");
    }
    pollfd poll_socket = {.fd = socket_, .events = events, .revents = 0};
    const int ready = poll(&poll_socket, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (ready > 0) return Status::OK();
    if (ready < 0 && errno != EINTR) return Broken(errno);
  }
}

Status Connection::Broken(int error) const {
  return RemoteError({.retryable = true}, "{}: {}", server_, std::strerror(error));
}

}  // namespace banquet::redis
