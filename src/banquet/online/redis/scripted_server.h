#pragma once
// A server for tests that speaks Redis' protocol by script: what it is not told to do otherwise, it
// answers as an empty Redis would.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "banquet/client/process/server_for_test.h"

namespace banquet::redis {

using Words = std::vector<std::string>;

// One command as the server received it.
struct Received {
  int connection = 0;  // From 1 on, in the order of their coming.
  int nth = 0;         // Of its name, over all connections, from 1 on.
  Words words;
};

// What to do about it.
struct Answer {
  std::string bytes;
  bool close = false;    // After the bytes.
  bool silence = false;  // From now on this connection is neither read nor answered.
};

// Runs in a thread of its own from construction to destruction.
class ScriptedServer {
 public:
  // nullopt: as an empty Redis.
  using Script = std::function<std::optional<Answer>(const Received&)>;

  explicit ScriptedServer(Script script, size_t slice_bytes = 0)
      : script_(std::move(script)), slice_bytes_(slice_bytes) {
    listener_ = ListenOnLoopback(&port_);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    ended_ = true;
    thread_.join();
    for (const auto& [socket, client] : clients_) close(socket);
    close(listener_);
  }

  int port() const { return port_; }  // 0: it could not listen.
  std::vector<Received> received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  int CountOf(const std::string& name) const {
    std::lock_guard lock(mutex_);
    const auto count = counts_.find(name);
    return count == counts_.end() ? 0 : count->second;
  }

 private:
  struct Client {
    int number = 0;
    std::string input;
    bool silent = false;
    int queued = -1;  // Commands since MULTI; -1: not in a transaction.
  };

  void Serve() {
    while (!ended_) {
      std::vector<pollfd> sockets = {{.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const auto& [socket, client] : clients_) {
        if (!client.silent) sockets.push_back({.fd = socket, .events = POLLIN, .revents = 0});
      }
      if (poll(sockets.data(), sockets.size(), 20) <= 0) continue;
      if (sockets[0].revents != 0) {
        const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket >= 0) clients_[socket].number = ++connections_;
      }
      for (size_t i = 1; i < sockets.size(); ++i) {
        if (sockets[i].revents != 0 && !Take(sockets[i].fd, &clients_[sockets[i].fd])) {
          close(sockets[i].fd);
          clients_.erase(sockets[i].fd);
        }
      }
    }
  }

  bool Take(int socket, Client* client) {
    char bytes[65536];
    const ssize_t size = recv(socket, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    client->input.append(bytes, static_cast<size_t>(size));
    std::string out;
    bool open = true;
    while (open && !client->silent) {
      std::optional<Words> words = TakeCommand(&client->input);
      if (!words.has_value()) break;
      Received received{.connection = client->number, .nth = 0, .words = *std::move(words)};
      {
        std::lock_guard lock(mutex_);
        received.nth = ++counts_[received.words[0]];
        received_.push_back(received);
      }
      std::optional<Answer> answer = script_ == nullptr ? std::nullopt : script_(received);
      const std::string usual = DefaultOf(received, client);  // Also follows transactions.
      if (!answer.has_value()) {
        answer = Answer{.bytes = usual};
      } else if (received.words[0] == "MULTI") {
        client->queued = -1;
      }
      out += answer->bytes;
      client->silent = answer->silence;
      open = !answer->close;
    }
    return Send(socket, out) && open;
  }

  bool Send(int socket, const std::string& out) const {
    const size_t slice = slice_bytes_ == 0 ? out.size() : slice_bytes_;
    for (size_t at = 0; at < out.size();) {
      const ssize_t sent =
          send(socket, out.data() + at, std::min(slice, out.size() - at), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += static_cast<size_t>(sent);
    }
    return true;
  }

  static std::optional<size_t> TakeNumber(const std::string& input, char mark, size_t* at) {
    const size_t end = input.find("\r\n", *at);
    if (end == std::string::npos || input[*at] != mark) return std::nullopt;
    const size_t number = std::stoul(input.substr(*at + 1, end - *at - 1));
    *at = end + 2;
    return number;
  }

  static std::optional<Words> TakeCommand(std::string* input) {
    size_t at = 0;
    const auto count = TakeNumber(*input, '*', &at);
    if (!count.has_value()) return std::nullopt;
    Words words;
    for (size_t i = 0; i < *count; ++i) {
      const auto size = TakeNumber(*input, '$', &at);
      if (!size.has_value() || input->size() < at + *size + 2) return std::nullopt;
      words.push_back(input->substr(at, *size));
      at += *size + 2;
    }
    input->erase(0, at);
    return words;
  }

  static std::string DefaultOf(const Received& received, Client* client) {
    const std::string& name = received.words[0];
    const std::string second = received.words.size() > 1 ? received.words[1] : "";
    if (name == "EXEC") {
      std::string reply = "*" + std::to_string(std::exchange(client->queued, -1)) + "\r\n";
      for (int left = std::stoi(reply.substr(1)); left > 0; --left) reply += ":1\r\n";
      return reply;
    }
    if (name == "DISCARD") client->queued = -1;
    if (client->queued >= 0) {
      ++client->queued;
      return "+QUEUED\r\n";
    }
    if (name == "MULTI") client->queued = 0;
    if (name == "HSET" || name == "EXPIRE" || name == "HDEL") return ":1\r\n";
    if (name == "CLIENT" && second == "ID") {
      return ":" + std::to_string(100 + received.connection) + "\r\n";
    }
    if (name == "CLIENT" && second == "KILL") return ":1\r\n";
    if (name == "HMGET") {
      std::string reply = "*" + std::to_string(received.words.size() - 2) + "\r\n";
      for (size_t i = 2; i < received.words.size(); ++i) reply += "$-1\r\n";
      return reply;
    }
    if (name == "HKEYS") return "*0\r\n";
    if (name == "SCAN") return "*2\r\n$1\r\n0\r\n*0\r\n";
    if (name == "INFO") {
      return Bulk(
          "# Server\r\nrun_id:scripted\r\n# Stats\r\nevicted_keys:0\r\n# Replication\r\n"
          "slave0:ip=127.0.0.1,port=1,state=online,offset=99,lag=0\r\n"
          "slave1:ip=127.0.0.1,port=2,state=online,offset=98,lag=0\r\n"
          "slave2:ip=127.0.0.1,port=3,state=wait_bgsave,offset=0,lag=0\r\n"
          "master_repl_offset:99\r\n");
    }
    return "+OK\r\n";
  }

 public:
  static std::string Bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }

 private:
  const Script script_;
  const size_t slice_bytes_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  int connections_ = 0;
  std::map<int, Client> clients_;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::map<std::string, int> counts_;
  std::thread thread_;
};

}  // namespace banquet::redis
