#include "banquet/client/google/gcs_bucket.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "banquet/base/percent_text.h"
#include "banquet/base/time_text.h"
#include "banquet/client/http/http_date.h"

namespace banquet::google {
namespace {

using nlohmann::json;

constexpr char kEndpoint[] = "https://storage.googleapis.com";
constexpr int64_t kObjectBytesMax = int64_t{2} << 30;  // More than protobuf can hold.
constexpr int kReadAttempts = 5;
constexpr int kWriteAttempts = 4;
constexpr std::chrono::milliseconds kWriteInterval(1'100);

constexpr int kOk = 200;
constexpr int kNoContent = 204;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kRequestTimeout = 408;
constexpr int kConflict = 409;
constexpr int kPreconditionFailed = 412;
constexpr int kTooManyRequests = 429;
constexpr int kServerErrors = 500;

std::string TextOf(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// {"error": {"message": …}}, or what else was said.
std::string MessageOf(const HttpResponse& response) {
  const json answer = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_object() && answer.contains("error") && answer["error"].is_object())
    return TextOf(answer["error"], "message");
  constexpr size_t kShown = 200;
  return response.body.substr(0, response.body.find_first_of("\r\n")).substr(0, kShown);
}

bool SaysNoBucket(const HttpResponse& response) {
  return response.status == kNotFound &&
         MessageOf(response).find("bucket does not exist") != std::string::npos;
}

// A word that stands in no registry.
std::string Boundary() {
  std::random_device random;
  return fmt::format("banquet-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

Result<std::unique_ptr<GcsBucket>> GcsBucket::Open(GcsBucketSettings settings) {
  BANQUET_ASSIGN_OR_RETURN(auto session,
                           HttpSession::Open({.server = "gs://" + settings.bucket,
                                              .connect_timeout = settings.patience.connect_timeout,
                                              .stall_timeout = settings.patience.stall_timeout,
                                              .stop = settings.patience.stop,
                                              .response_bytes_max = kObjectBytesMax}));
  return std::unique_ptr<GcsBucket>(new GcsBucket(std::move(settings), std::move(session)));
}

// What an object is comes first, then the bytes of exactly that generation; one that is replaced in
// between is looked at again.
Result<std::optional<BucketObject>> GcsBucket::Get(const std::string& key) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(const HttpResponse about, Send({.url = ObjectUrl(key)}));
    if (about.status == kNotFound && !SaysNoBucket(about)) return std::nullopt;
    if (about.status != kOk) return ErrorOf("GET", key, about);
    const json object = json::parse(about.body, nullptr, /*allow_exceptions=*/false);
    BucketObject found;
    if (object.is_object()) found.version = TextOf(object, "generation");
    found.now_s = SecondsOfHttpDate(about.Header("date").value_or(""));
    const auto created = ParseInstant(object.is_object() ? TextOf(object, "timeCreated") : "");
    if (found.version.empty() || !created.ok() || found.now_s == 0) {
      return RemoteError({}, "gs://{}/{}: the service tells no generation, timeCreated or Date",
                         settings_.bucket, key);
    }
    found.modified_s = *created / 1'000'000;
    BANQUET_ASSIGN_OR_RETURN(
        HttpResponse media,
        Send({.url = ObjectUrl(key) + "?alt=media&generation=" + found.version}));
    if (media.status == kNotFound) continue;
    if (media.status != kOk) return ErrorOf("GET", key, media);
    found.bytes = std::move(media.body);
    return found;
  }
  return RemoteError({.retryable = true}, "gs://{}/{}: it is replaced all the time",
                     settings_.bucket, key);
}

Result<PutOutcome> GcsBucket::Put(const std::string& key, std::string_view bytes,
                                  const PutCondition& condition) {
  std::string url = fmt::format("{}/upload/storage/v1/b/{}/o?uploadType=multipart", Endpoint(),
                                PercentEncoded(settings_.bucket));
  if (condition.is_absent) {
    url += "&ifGenerationMatch=0";
  } else if (!condition.version.empty()) {
    url += "&ifGenerationMatch=" + condition.version;
  }
  const std::string boundary = Boundary();
  const std::string body = fmt::format(
      "--{0}\r\ncontent-type: application/json\r\n\r\n{1}\r\n--{0}\r\n"
      "content-type: application/octet-stream\r\n\r\n{2}\r\n--{0}--\r\n",
      boundary, json{{"name", key}}.dump(-1, ' ', false, json::error_handler_t::replace), bytes);
  BANQUET_ASSIGN_OR_RETURN(
      const HttpResponse response,
      SendWrite({.method = "POST",
                 .url = url,
                 .headers = {"content-type: multipart/related; boundary=" + boundary},
                 .body = body}));
  if (response.status == kOk) return PutOutcome::kWritten;
  if (response.status == kPreconditionFailed || response.status == kConflict)
    return PutOutcome::kChanged;
  return ErrorOf("PUT", key, response);
}

Status GcsBucket::Delete(const std::string& key) {
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response,
                           SendWrite({.method = "DELETE", .url = ObjectUrl(key)}));
  const bool is_gone = response.status == kOk || response.status == kNoContent ||
                       (response.status == kNotFound && !SaysNoBucket(response));
  return is_gone ? Status::OK() : ErrorOf("DELETE", key, response);
}

// One that comes too soon after another of its object is tried again.
Result<HttpResponse> GcsBucket::SendWrite(const HttpRequest& request) {
  for (int attempt = 1;; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(HttpResponse response, Send(request));
    const bool is_too_soon = response.status == kTooManyRequests && attempt < kWriteAttempts;
    if (!is_too_soon || !settings_.clock->Wait(kWriteInterval, settings_.patience.stop))
      return response;
  }
}

// A token that is refused is asked for anew, once.
Result<HttpResponse> GcsBucket::Send(HttpRequest request) {
  if (settings_.tokens == nullptr) return session_->Send(request);
  for (int attempt = 0;; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(const std::string token, settings_.tokens->Get());
    request.headers.push_back("authorization: Bearer " + token);
    BANQUET_ASSIGN_OR_RETURN(HttpResponse response, session_->Send(request));
    if (response.status != kUnauthorized || attempt > 0) return response;
    settings_.tokens->Expire(token);
    request.headers.pop_back();
  }
}

Status GcsBucket::ErrorOf(std::string_view what, const std::string& key,
                          const HttpResponse& response) const {
  const std::string text = fmt::format("gs://{}/{}: {} answered {} {}", settings_.bucket, key, what,
                                       response.status, MessageOf(response));
  if (response.status >= kServerErrors || response.status == kTooManyRequests ||
      response.status == kRequestTimeout) {
    return RemoteError({.retryable = true}, "{}", text);
  }
  if (response.status == kNotFound) return UserError("{}; name a bucket that is there", text);
  if (response.status == kForbidden || response.status == kUnauthorized)
    return UserError("{}; mend the credentials, or grant the right", text);
  return RemoteError({}, "{}", text);
}

std::string GcsBucket::Endpoint() const {
  return settings_.endpoint.empty() ? kEndpoint : settings_.endpoint;
}

std::string GcsBucket::ObjectUrl(const std::string& key) const {
  return fmt::format("{}/storage/v1/b/{}/o/{}", Endpoint(), PercentEncoded(settings_.bucket),
                     PercentEncoded(key));
}

}  // namespace banquet::google
