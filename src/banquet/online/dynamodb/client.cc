#include "banquet/online/dynamodb/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace banquet::dynamodb {
namespace {

constexpr std::string_view kContentType = "application/x-amz-json-1.0";
constexpr std::string_view kTarget = "DynamoDB_20120810.";

constexpr std::string_view kThrottling[] = {"ProvisionedThroughputExceededException",
                                            "ThrottlingException", "Throttling",
                                            "RequestLimitExceeded", "LimitExceededException"};
constexpr std::string_view kExpired[] = {"ExpiredTokenException", "ExpiredToken"};
constexpr std::string_view kRetryable[] = {"InternalServerError", "InternalFailure",
                                           "ServiceUnavailable", "TransactionInProgressException",
                                           kTableInUse};
struct UserRule {
  std::string_view code;
  std::string_view mend;
};
constexpr UserRule kUserRules[] = {
    {"AccessDeniedException", "grant it (docs/formats/dynamodb.md)"},
    {"UnrecognizedClientException", "these credentials are not known there"},
    {"InvalidClientTokenId", "these credentials are not known there"},
    {"InvalidSignatureException", "mend the secret key, or this machine's clock"},
    {"MissingAuthenticationTokenException", "the endpoint must be DynamoDB's"},
    {"ResourceNotFoundException", "the table must be there"},
    {"ExpiredTokenException", "renew the session"},
    {"ExpiredToken", "renew the session"},
};

template <size_t n>
bool IsOneOf(const std::string_view (&codes)[n], std::string_view code) {
  return std::ranges::count(codes, code) > 0;
}

// The words of {"__type": "com.amazonaws…#Code", "message": "…"}.
struct ErrorWords {
  std::string code;
  std::string message;
};

ErrorWords WordsOf(const std::string& body) {
  const auto parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* key) {
    const bool has = parsed.is_object() && parsed.contains(key) && parsed[key].is_string();
    return has ? parsed[key].get<std::string>() : std::string();
  };
  ErrorWords words{.code = text("__type"), .message = text("message")};
  if (words.message.empty()) words.message = text("Message");
  words.code.erase(0, words.code.rfind('#') + 1);
  return words;
}

}  // namespace

Result<std::unique_ptr<Client>> Client::Open(const ClientSettings& settings) {
  BANQUET_ASSIGN_OR_RETURN(auto session,
                           HttpSession::Open({.server = settings.server,
                                              .connect_timeout = settings.connect_timeout,
                                              .stall_timeout = settings.stall_timeout,
                                              .stop = settings.stop}));
  return std::unique_ptr<Client>(new Client(settings, std::move(session)));
}

Client::Client(ClientSettings settings, std::unique_ptr<HttpSession> session)
    : settings_(std::move(settings)),
      session_(std::move(session)),
      host_(settings_.endpoint.substr(settings_.endpoint.find("://") + 3)) {}

bool Client::is_throttled() const { return IsOneOf(kThrottling, error_code_); }

Result<std::string> Client::Call(std::string_view operation, std::string_view body) {
  bool is_renewed = false;
  while (true) {
    error_code_.clear();
    BANQUET_ASSIGN_OR_RETURN(const aws::Credentials credentials, settings_.chain->Get());
    BANQUET_ASSIGN_OR_RETURN(HttpResponse response, Send(operation, body, credentials));
    if (response.status == 200) return std::move(response.body);
    Status error = ErrorOf(operation, response);
    if (!IsOneOf(kExpired, error_code_) || is_renewed) return error;
    settings_.chain->Expire(credentials);
    is_renewed = true;
  }
}

Result<HttpResponse> Client::Send(std::string_view operation, std::string_view body,
                                  const aws::Credentials& credentials) {
  const std::string target = fmt::format("{}{}", kTarget, operation);
  const aws::SigningRequest to_sign{
      .host = host_,
      .headers = {{"content-type", std::string(kContentType)}, {"x-amz-target", target}},
      .body = body};
  HttpRequest request{
      .method = "POST",
      .url = settings_.endpoint + "/",
      .headers = aws::SignatureHeaders(to_sign, {.region = settings_.region, .service = "dynamodb"},
                                       credentials, settings_.clock->NowUs()),
      .body = body};
  request.headers.push_back(fmt::format("content-type: {}", kContentType));
  request.headers.push_back("x-amz-target: " + target);
  return session_->Send(request);
}

Status Client::ErrorOf(std::string_view operation, const HttpResponse& response) {
  const ErrorWords words = WordsOf(response.body);
  error_code_ = words.code;
  const std::string text =
      fmt::format("{}: {}: {} ({})", server(), operation,
                  words.message.empty() ? fmt::format("status {}", response.status) : words.message,
                  words.code.empty() ? "no error code" : words.code);
  if (is_throttled() || IsOneOf(kRetryable, error_code_) || response.status >= 500 ||
      response.status == 429) {
    return RemoteError({.retryable = true}, "{}", text);
  }
  for (const UserRule& rule : kUserRules) {
    if (rule.code == error_code_) return UserError("{}; {}", text, rule.mend);
  }
  if (error_code_ == "ValidationException") return DataError("{}", text);
  return RemoteError({}, "{}", text);
}

}  // namespace banquet::dynamodb
