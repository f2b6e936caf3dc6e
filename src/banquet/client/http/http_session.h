#pragma once
// libcurl behind RAII, our waits and our errors; the only folder that sees curl/.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

struct HttpSettings {
  std::string server;  // Names the other end in errors: "dynamodb in eu-west-1".
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};  // Of an answer that does not come.
  std::stop_token stop;                             // Ends every wait within about a second.
  int64_t response_bytes_max = int64_t{64} << 20;
  bool use_proxy = true;  // https_proxy and its like; never for a machine's own metadata.
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   // http:// or https://
  std::vector<std::string> headers;  // "name: value"
  std::string_view body;             // Borrowed while it is sent.
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // By name in lower case.
  std::string body;

  std::optional<std::string> Header(const std::string& lower_case_name) const;
};

// One connection that is kept between requests to the same server. Used by one thread at a time.
// Certificates are verified, against SSL_CERT_FILE where that is set; redirects are not followed.
//
// Errors are remote: no connection, no answer in time, a broken or endless one are retryable; a
// certificate that does not hold is not. Any status the server answers with is a response.
class HttpSession {
 public:
  static Result<std::unique_ptr<HttpSession>> Open(HttpSettings settings);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  Result<HttpResponse> Send(const HttpRequest& request);

 private:
  explicit HttpSession(HttpSettings settings) : settings_(std::move(settings)) {}
  Status ErrorOf(int code) const;

  struct Incoming;
  static size_t OnHeader(char* data, size_t size, size_t count, void* incoming);
  static size_t OnBody(char* data, size_t size, size_t count, void* incoming);
  static int OnProgress(void* self, int64_t, int64_t, int64_t, int64_t);

  const HttpSettings settings_;
  void* handle_ = nullptr;  // CURL*
  std::string error_text_;
};

}  // namespace banquet
