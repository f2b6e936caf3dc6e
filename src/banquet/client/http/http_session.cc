#include "banquet/client/http/http_session.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace banquet {
namespace {

constexpr char kUserAgent[] = "banquet";

// Once per process, before the first handle.
bool InitializeLibrary() {
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_ready;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// `Expect: 100-continue` would cost a round trip for every larger body.
HeaderList ListOf(const std::vector<std::string>& headers) {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
  return HeaderList(list);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

struct HttpSession::Incoming {
  HttpResponse response;
  int64_t bytes_max = 0;
  bool is_too_large = false;
};

std::optional<std::string> HttpResponse::Header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

Result<std::unique_ptr<HttpSession>> HttpSession::Open(HttpSettings settings) {
  std::unique_ptr<HttpSession> session(new HttpSession(std::move(settings)));
  if (InitializeLibrary()) session->handle_ = curl_easy_init();
  if (session->handle_ == nullptr) {
    return RemoteError({}, "{}: no memory for a connection", session->settings_.server);
  }
  const HttpSettings& kept = session->settings_;
  CURL* handle = session->handle_;
  session->error_text_.resize(CURL_ERROR_SIZE);
  const auto stall_seconds = std::max<long>(
      1, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(kept.stall_timeout).count()));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, session->error_text_.data());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(kept.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, stall_seconds);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &HttpSession::OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, session.get());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &HttpSession::OnHeader);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &HttpSession::OnBody);
  if (!kept.use_proxy) curl_easy_setopt(handle, CURLOPT_PROXY, "");
  if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, authorities);
  }
  return session;
}

HttpSession::~HttpSession() { curl_easy_cleanup(handle_); }

Result<HttpResponse> HttpSession::Send(const HttpRequest& request) {
  if (settings_.stop.stop_requested()) return CancelledError();
  Incoming incoming{.bytes_max = settings_.response_bytes_max};
  const HeaderList headers = ListOf(request.headers);
  CURL* handle = handle_;
  error_text_[0] = '\0';
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &incoming);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &incoming);
  if (request.method == "GET") {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS,
                     request.body.data() == nullptr ? "" : request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  const CURLcode code = curl_easy_perform(handle);
  if (incoming.is_too_large) {
    return RemoteError({}, "{} answered with more than {} bytes", settings_.server,
                       settings_.response_bytes_max);
  }
  if (code != CURLE_OK) return ErrorOf(code);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  incoming.response.status = static_cast<int>(status);
  return std::move(incoming.response);
}

Status HttpSession::ErrorOf(int code) const {
  if (settings_.stop.stop_requested()) return CancelledError();
  const char* text = error_text_[0] != '\0' ? error_text_.c_str()
                                            : curl_easy_strerror(static_cast<CURLcode>(code));
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return RemoteError({}, "{}: {}", settings_.server, text);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return UserError("{}: {}; mend its URL", settings_.server, text);
    default:
      return RemoteError({.retryable = true}, "{}: {}", settings_.server, text);
  }
}

size_t HttpSession::OnHeader(char* data, size_t size, size_t count, void* incoming) {
  const std::string_view line(data, size * count);
  HttpResponse& response = static_cast<Incoming*>(incoming)->response;
  if (line.starts_with("HTTP/")) response.headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  response.headers[name] = Trimmed(line.substr(colon + 1));
  return line.size();
}

size_t HttpSession::OnBody(char* data, size_t size, size_t count, void* incoming) {
  auto* taken = static_cast<Incoming*>(incoming);
  const size_t bytes = size * count;
  taken->is_too_large =
      static_cast<int64_t>(taken->response.body.size() + bytes) > taken->bytes_max;
  if (taken->is_too_large) return 0;
  taken->response.body.append(data, bytes);
  return bytes;
}

int HttpSession::OnProgress(void* self, int64_t, int64_t, int64_t, int64_t) {
  return static_cast<HttpSession*>(self)->settings_.stop.stop_requested() ? 1 : 0;
}

}  // namespace banquet
