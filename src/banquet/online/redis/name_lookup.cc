#include "banquet/online/redis/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <memory>

namespace banquet::redis {
namespace {

constexpr timespec kLookSlice = {.tv_sec = 0, .tv_nsec = 100'000'000};  // Between looks at `stop`.

// What the resolver reads and writes while it works, possibly longer than we wait for it.
struct Lookup {
  std::string host;
  std::string service;
  addrinfo hints = {};
  gaicb request = {};
};

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
  const gaicb* requests[] = {&lookup->request};
  while (gai_error(&lookup->request) == EAI_INPROGRESS) {
    if (stop.stop_requested()) return CancelledError();
    if (std::chrono::steady_clock::now() >= deadline) {
      return RemoteError({.retryable = true},
                         "{}: the host's name was not resolved in time (banquet.connect_timeout)",
                         server);
    }
    gai_suspend(requests, 1, &kLookSlice);
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
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
    return AddressesOf(list);
  }
  auto lookup = std::make_unique<Lookup>();
  lookup->host = host;
  lookup->service = service;
  lookup->hints.ai_socktype = SOCK_STREAM;
  lookup->request.ar_name = lookup->host.c_str();
  lookup->request.ar_service = lookup->service.c_str();
  lookup->request.ar_request = &lookup->hints;
  gaicb* requests[] = {&lookup->request};
  int error = getaddrinfo_a(GAI_NOWAIT, requests, 1, nullptr);
  if (error == 0) {
    const Status waited = Wait(lookup.get(), deadline, stop, server);
    if (!waited.ok()) {
      // The resolver may still write there, so that it is left to it.
      if (gai_cancel(&lookup->request) != EAI_CANCELED) static_cast<void>(lookup.release());
      return waited;
    }
    error = gai_error(&lookup->request);
  }
  if (error != 0) {
    return RemoteError({.retryable = error == EAI_AGAIN}, "{}: the host's name is not known: {}",
                       server, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(lookup->request.ar_result,
                                                                 &freeaddrinfo);
  return AddressesOf(owner.get());
}

}  // namespace banquet::redis
