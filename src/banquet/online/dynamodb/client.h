#pragma once
// Calls of DynamoDB's JSON protocol.

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/aws/credential_chain.h"
#include "banquet/client/http/http_session.h"

namespace banquet::dynamodb {

struct ClientSettings {
  std::string endpoint;  // URL, without a slash at its end.
  std::string region;
  std::string server;  // Names the service in errors: "dynamodb in eu-west-1".
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
  Clock* clock = &SystemClock();          // Borrowed.
  aws::CredentialChain* chain = nullptr;  // Borrowed, shared.
};

inline constexpr std::string_view kTableNotFound = "ResourceNotFoundException";
inline constexpr std::string_view kTableInUse = "ResourceInUseException";
inline constexpr std::string_view kNotValid = "ValidationException";

// One connection. Used by one thread at a time.
//
// Errors: throttling, server errors and what HttpSession calls retryable are retryable remote
// errors; rights, keys, names and a wrong clock are the user's; what the service calls invalid is a
// data error. Keys that have expired are asked for anew, once, before they are an error.
class Client {
 public:
  static Result<std::unique_ptr<Client>> Open(const ClientSettings& settings);

  // `operation`: "BatchWriteItem". The body of the answer.
  Result<std::string> Call(std::string_view operation, std::string_view body);

  // By which the service called the error of the last call; empty: it did not come to that.
  const std::string& error_code() const { return error_code_; }
  // It asked for slower calls.
  bool is_throttled() const;
  const std::string& server() const { return settings_.server; }

 private:
  Client(ClientSettings settings, std::unique_ptr<HttpSession> session);
  Result<HttpResponse> Send(std::string_view operation, std::string_view body,
                            const aws::Credentials& credentials);
  Status ErrorOf(std::string_view operation, const HttpResponse& response);

  const ClientSettings settings_;
  const std::unique_ptr<HttpSession> session_;
  const std::string host_;
  std::string error_code_;
};

}  // namespace banquet::dynamodb
