#include "banquet/online/redis/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace banquet::redis {
namespace {

constexpr std::chrono::milliseconds kLookSlice{100};  // Between looks at `stop`.

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// What the resolver's thread works on, possibly longer than we wait for it.
struct Lookup {
  const std::string host;
  const std::string service;
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  int error = 0;
  AddressList list{nullptr, &freeaddrinfo};
};

void Resolve(Lookup* lookup) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(lookup->host.c_str(), lookup->service.c_str(), &hints, &list);
  std::lock_guard lock(lookup->mutex);
  lookup->error = error;
  if (error == 0) lookup->list.reset(list);
  lookup->done = true;
  lookup->finished.notify_all();
}

std::vector<SocketAddress> AddressesOf(const addrinfo* list) {
  std::vector<SocketAddress> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    addresses.push_back(
        {.family = at->ai_family,
         .bytes = std::string(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen)});
  }
  return addresses;
}

Status Wait(Lookup* lookup, std::chrono::steady_clock::time_point deadline,
            const std::stop_token& stop, const std::string& server) {
  std::unique_lock lock(lookup->mutex);
  while (!lookup->done) {
    if (stop.stop_requested()) return CancelledError();
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      return RemoteError({.retryable = true},
                         "{}: the host's name was not resolved in time (banquet.connect_timeout)",
                         server);
    }
    lookup->finished.wait_until(lock, std::min(deadline, now + kLookSlice));
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<SocketAddress>> LookUpHost(const std::string& host, int port,
                                              std::chrono::steady_clock::time_point deadline,
                                              const std::stop_token& stop,
                                              const std::string& server) {
  const std::string service = std::to_string(port);
  addrinfo numeric = {};
  numeric.ai_socktype = SOCK_STREAM;
  numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), service.c_str(), &numeric, &list) == 0) {
    return AddressesOf(AddressList(list, &freeaddrinfo).get());
  }
  // The resolver cannot be interrupted, so that a thread of its own waits for it; where it takes
  // longer than we may, the thread ends by itself later.
  const std::shared_ptr<Lookup> lookup(new Lookup{.host = host, .service = service});
  std::thread([lookup] { Resolve(lookup.get()); }).detach();
  BANQUET_RETURN_NOT_OK(Wait(lookup.get(), deadline, stop, server));
  if (lookup->error != 0) {
    return RemoteError({.retryable = lookup->error == EAI_AGAIN},
                       "{}: the host's name is not known: {}", server, gai_strerror(lookup->error));
  }
  return AddressesOf(lookup->list.get());
}

}  // namespace banquet::redis
