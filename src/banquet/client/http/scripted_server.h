#pragma once
// A server for tests that answers HTTP by script.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "banquet/client/process/server_for_test.h"

namespace banquet {

// One request as the server received it.
struct ReceivedHttp {
  int connection = 0;  // From 1 on, in the order of their coming.
  int nth = 0;         // Over all connections, from 1 on.
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // By name in lower case.
  std::string body;
};

// What to do about it.
struct HttpAnswer {
  int status = 200;
  std::string body;
  std::vector<std::string> headers = {};
  std::string raw = {};  // Sent instead of all that, where it is not empty.
  bool close = false;    // After the answer.
  bool silence = false;  // No answer at all.
};

// A thread for each connection, from construction to destruction. The script is called by one of
// them at a time.
class ScriptedHttpServer {
 public:
  using Script = std::function<HttpAnswer(const ReceivedHttp&)>;

  explicit ScriptedHttpServer(Script script) : script_(std::move(script)) {
    listener_ = ListenOnLoopback(&port_);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~ScriptedHttpServer() {
    ended_ = true;
    accepting_.join();
    for (std::thread& connection : connections_) connection.join();
    close(listener_);
  }

  int port() const { return port_; }  // 0: it could not listen.
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ReceivedHttp> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  bool WaitFor(int fd) const {
    while (!ended_) {
      pollfd poll_socket = {.fd = fd, .events = POLLIN, .revents = 0};
      if (poll(&poll_socket, 1, 10) > 0) return true;
    }
    return false;
  }

  void Accept() {
    for (int number = 1; WaitFor(listener_); ++number) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) connections_.emplace_back([this, client, number] { Serve(client, number); });
    }
  }

  void Serve(int client, int number) {
    std::string input;
    ReceivedHttp request{.connection = number};
    while (Take(client, &input, &request)) {
      const HttpAnswer answer = Decide(&request);
      if (answer.silence) {
        while (!ended_) usleep(5000);
        break;
      }
      const std::string bytes = answer.raw.empty() ? TextOf(answer) : answer.raw;
      if (send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 || answer.close) break;
    }
    close(client);
  }

  HttpAnswer Decide(ReceivedHttp* request) {
    const std::lock_guard lock(mutex_);
    request->nth = static_cast<int>(received_.size()) + 1;
    received_.push_back(*request);
    return script_(*request);
  }

  // Reads one request; false: the client has left.
  bool Take(int client, std::string* input, ReceivedHttp* request) const {
    while (true) {
      const size_t end = input->find("\r\n\r\n");
      if (end != std::string::npos) {
        ParseHead(input->substr(0, end + 2), request);
        const auto length = request->headers.find("content-length");
        const size_t size = length == request->headers.end()
                                ? 0
                                : std::strtoull(length->second.c_str(), nullptr, 10);
        if (input->size() >= end + 4 + size) {
          request->body = input->substr(end + 4, size);
          input->erase(0, end + 4 + size);
          return true;
        }
      }
      if (!WaitFor(client)) return false;
      char buffer[65536];
      const ssize_t got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      input->append(buffer, static_cast<size_t>(got));
    }
  }

  static void ParseHead(const std::string& head, ReceivedHttp* request) {
    request->headers.clear();
    size_t at = head.find("\r\n");
    const std::string line = head.substr(0, at);
    const size_t space = line.find(' ');
    request->method = line.substr(0, space);
    request->target = line.substr(space + 1, line.rfind(' ') - space - 1);
    for (at += 2; at < head.size();) {
      const size_t end = head.find("\r\n", at);
      const std::string header = head.substr(at, end - at);
      const size_t colon = header.find(':');
      std::string name = header.substr(0, colon);
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      request->headers[name] = header.substr(std::min(colon + 2, header.size()));
      at = end + 2;
    }
  }

  static std::string TextOf(const HttpAnswer& answer) {
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n";
    for (const std::string& header : answer.headers) text += header + "\r\n";
    return text + "content-length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
           answer.body;
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  mutable std::mutex mutex_;
  std::vector<ReceivedHttp> received_;
  std::list<std::thread> connections_;
  std::thread accepting_;
};

}  // namespace banquet
