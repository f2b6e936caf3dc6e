#include "bench/native/redis_replay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "banquet/client/filesystem/file_descriptor.h"
#include "bench/native/meters.h"

namespace banquet::bench {
namespace {

constexpr size_t kSendBytesMax = 256 * 1024;
constexpr int kStall_ms = 60'000;
// Answered in order, so its reply is the last of a stream.
constexpr std::string_view kMarker = "banquet-bench-end-of-stream";
constexpr std::string_view kEcho = "*2\r\n$4\r\nECHO\r\n$27\r\nbanquet-bench-end-of-stream\r\n";

Status SocketError(const char* what) {
  return RemoteError({}, "{} failed: {}", what, std::strerror(errno));
}

Result<FileDescriptor> Connect(int port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return SocketError("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return SocketError("connect");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

// One stream under way.
class Conversation {
 public:
  Conversation(FileDescriptor socket, std::string_view commands)
      : socket_(std::move(socket)), commands_(commands) {}

  bool done() const { return done_; }
  pollfd Wanted() const {
    const bool sending = sent_ < commands_.size() + kEcho.size();
    return {.fd = done_ ? -1 : socket_.get(),
            .events = static_cast<int16_t>(POLLIN | (sending ? POLLOUT : 0)),
            .revents = 0};
  }

  Status Send() {
    while (sent_ < commands_.size() + kEcho.size()) {
      const std::string_view rest = sent_ < commands_.size()
                                        ? commands_.substr(sent_)
                                        : kEcho.substr(sent_ - commands_.size());
      const ssize_t sent =
          ::send(socket_.get(), rest.data(), std::min(rest.size(), kSendBytesMax), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN ? Status::OK() : SocketError("send");
      sent_ += static_cast<size_t>(sent);
    }
    return Status::OK();
  }

  Status Receive(ReplayResult* result) {
    while (true) {
      const ssize_t received = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (received < 0) return errno == EAGAIN ? Status::OK() : SocketError("recv");
      if (received == 0) return RemoteError({}, "The server closed the connection");
      const std::string_view bytes(buffer_.data(), static_cast<size_t>(received));
      result->reply_bytes += bytes.size();
      for (size_t at = bytes.find("\r\n-"); at != bytes.npos; at = bytes.find("\r\n-", at + 2)) {
        ++result->error_replies;
      }
      tail_.append(bytes.substr(bytes.size() - std::min(bytes.size(), kMarker.size() + 2)));
      if (tail_.size() > 2 * kMarker.size()) tail_.erase(0, tail_.size() - 2 * kMarker.size());
      if (tail_.find(kMarker) == tail_.npos) continue;
      result->sent_bytes += sent_;
      done_ = true;
      return Status::OK();
    }
  }

 private:
  const FileDescriptor socket_;
  const std::string_view commands_;
  size_t sent_ = 0;
  std::string tail_;  // Of the replies, as long as the marker may lie across two reads.
  std::array<char, 64 * 1024> buffer_;
  bool done_ = false;
};

}  // namespace

Result<ReplayResult> Replay(const std::vector<std::string>& streams, int port) {
  std::vector<std::unique_ptr<Conversation>> conversations;
  for (const std::string& stream : streams) {
    BANQUET_ASSIGN_OR_RETURN(FileDescriptor socket, Connect(port));
    conversations.push_back(std::make_unique<Conversation>(std::move(socket), stream));
  }
  ReplayResult result;
  const double began = Now();
  while (!std::ranges::all_of(conversations, [](const auto& one) { return one->done(); })) {
    std::vector<pollfd> wanted;
    for (const auto& conversation : conversations) wanted.push_back(conversation->Wanted());
    const int ready = ::poll(wanted.data(), wanted.size(), kStall_ms);
    if (ready < 0) return SocketError("poll");
    if (ready == 0) return RemoteError({}, "The server said nothing for {} ms", kStall_ms);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if ((wanted[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        BANQUET_RETURN_NOT_OK(conversations[i]->Receive(&result));
      if (!conversations[i]->done() && (wanted[i].revents & POLLOUT) != 0)
        BANQUET_RETURN_NOT_OK(conversations[i]->Send());
    }
  }
  result.seconds = Now() - began;
  return result;
}

}  // namespace banquet::bench
