#include "banquet/client/aws/s3_bucket.h"

#include <utility>
#include <vector>

#include "banquet/base/percent_text.h"
#include "banquet/client/aws/signature.h"
#include "banquet/client/http/http_date.h"

namespace banquet::aws {

struct S3Bucket::Call {
  std::string_view method;
  std::string key;
  std::string_view body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // Names in lower case.
};

namespace {

constexpr int64_t kObjectBytesMax = int64_t{2} << 30;  // More than protobuf can hold.
constexpr int kOk = 200;
constexpr int kNoContent = 204;
constexpr int kMovedPermanently = 301;
constexpr int kBadRequest = 400;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kConflict = 409;
constexpr int kPreconditionFailed = 412;
constexpr int kNotImplemented = 501;

// "text" of "<Name>text</Name>"; S3's answers are small and without attributes.
std::string ElementOf(std::string_view xml, std::string_view name) {
  const std::string begin = fmt::format("<{}>", name);
  const size_t from = xml.find(begin);
  const size_t to = xml.find(fmt::format("</{}>", name));
  if (from == std::string_view::npos || to == std::string_view::npos || to < from) return {};
  return std::string(xml.substr(from + begin.size(), to - from - begin.size()));
}

bool IsExpired(const std::string& code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException";
}

}  // namespace

Result<std::unique_ptr<S3Bucket>> S3Bucket::Open(S3BucketSettings settings) {
  BANQUET_ASSIGN_OR_RETURN(auto session,
                           HttpSession::Open({.server = "s3://" + settings.bucket,
                                              .connect_timeout = settings.patience.connect_timeout,
                                              .stall_timeout = settings.patience.stall_timeout,
                                              .stop = settings.patience.stop,
                                              .response_bytes_max = kObjectBytesMax}));
  return std::unique_ptr<S3Bucket>(new S3Bucket(std::move(settings), std::move(session)));
}

Result<std::optional<BucketObject>> S3Bucket::Get(const std::string& key) {
  const Call call{.method = "GET", .key = key};
  BANQUET_ASSIGN_OR_RETURN(HttpResponse response, Send(call));
  if (response.status == kNotFound && ElementOf(response.body, "Code") != "NoSuchBucket")
    return std::nullopt;
  if (response.status != kOk) return ErrorOf(call, response);
  BucketObject object{
      .bytes = std::move(response.body),
      .version = response.Header("etag").value_or(""),
      .modified_s = SecondsOfHttpDate(response.Header("last-modified").value_or("")),
      .now_s = SecondsOfHttpDate(response.Header("date").value_or(""))};
  if (object.version.empty() || object.modified_s == 0 || object.now_s == 0) {
    return RemoteError({}, "s3://{}/{}: the service tells no ETag, Last-Modified or Date",
                       settings_.bucket, key);
  }
  return object;
}

Result<PutOutcome> S3Bucket::Put(const std::string& key, std::string_view bytes,
                                 const PutCondition& condition) {
  Call call{.method = "PUT",
            .key = key,
            .body = bytes,
            .headers = {{"content-type", "application/octet-stream"}}};
  if (condition.is_absent) {
    call.headers.emplace_back("if-none-match", "*");
  } else if (!condition.version.empty()) {
    call.headers.emplace_back("if-match", condition.version);
  }
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response, Send(call));
  switch (response.status) {
    case kOk:
      return PutOutcome::kWritten;
    case kConflict:  // Somebody else's condition was being looked at.
    case kPreconditionFailed:
      return PutOutcome::kChanged;
    case kNotFound:  // Of If-Match: the object was removed meanwhile.
      if (ElementOf(response.body, "Code") == "NoSuchKey") return PutOutcome::kChanged;
      return ErrorOf(call, response);
    default:
      return ErrorOf(call, response);
  }
}

Status S3Bucket::Delete(const std::string& key) {
  const Call call{.method = "DELETE", .key = key};
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response, Send(call));
  const bool is_gone =
      response.status == kOk || response.status == kNoContent ||
      (response.status == kNotFound && ElementOf(response.body, "Code") != "NoSuchBucket");
  return is_gone ? Status::OK() : ErrorOf(call, response);
}

// Keys that have expired are asked for anew, and a bucket is looked for in its own region; each
// once.
Result<HttpResponse> S3Bucket::Send(const Call& call) {
  bool is_renewed = false;
  bool is_moved = false;
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const Credentials credentials, settings_.chain->Get());
    BANQUET_ASSIGN_OR_RETURN(HttpResponse response, SendOnce(call, credentials));
    if (IsExpired(ElementOf(response.body, "Code")) && !std::exchange(is_renewed, true)) {
      settings_.chain->Expire(credentials);
      continue;
    }
    const std::optional<std::string> region = response.Header("x-amz-bucket-region");
    const bool is_elsewhere =
        (response.status == kMovedPermanently || response.status == kBadRequest) &&
        region.has_value() && *region != settings_.region;
    if (is_elsewhere && !std::exchange(is_moved, true)) {
      settings_.region = *region;
      continue;
    }
    return response;
  }
}

Result<HttpResponse> S3Bucket::SendOnce(const Call& call, const Credentials& credentials) {
  const std::string endpoint = settings_.endpoint.empty()
                                   ? fmt::format("https://s3.{}.amazonaws.com", settings_.region)
                                   : settings_.endpoint;
  const std::string path = fmt::format("/{}/{}", settings_.bucket, PercentEncoded(call.key, "/"));
  SigningRequest to_sign{.method = call.method,
                         .host = std::string_view(endpoint).substr(endpoint.find("://") + 3),
                         .path = path,
                         .headers = call.headers,
                         .body = call.body};
  to_sign.headers.emplace_back("x-amz-content-sha256", Sha256Hex(call.body));
  HttpRequest request{
      .method = std::string(call.method),
      .url = endpoint + path,
      .headers = SignatureHeaders(to_sign, {.region = settings_.region, .service = "s3"},
                                  credentials, settings_.clock->NowUs()),
      .body = call.body};
  for (const auto& [name, value] : to_sign.headers) request.headers.push_back(name + ": " + value);
  return session_->Send(request);
}

Status S3Bucket::ErrorOf(const Call& call, const HttpResponse& response) const {
  const std::string code = ElementOf(response.body, "Code");
  const std::string text =
      fmt::format("s3://{}/{}: {} answered {} {} {}", settings_.bucket, call.key, call.method,
                  response.status, code, ElementOf(response.body, "Message"));
  constexpr int kTooManyRequests = 429;
  constexpr int kServerErrors = 500;
  if (response.status == kNotImplemented)
    return UserError("{}; the service knows no conditional writes", text);
  if (response.status >= kServerErrors || response.status == kTooManyRequests)
    return RemoteError({.retryable = true}, "{}", text);
  if (code == "NoSuchBucket") return UserError("{}; name a bucket that is there", text);
  if (response.status == kForbidden)
    return UserError("{}; mend the credentials, or grant the right", text);
  return RemoteError({}, "{}", text);
}

}  // namespace banquet::aws
