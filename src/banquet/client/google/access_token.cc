#include "banquet/client/google/access_token.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "banquet/base/environment.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/google/signed_claim.h"
#include "banquet/client/http/form.h"
#include "banquet/client/http/http_session.h"

namespace banquet::google {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char kScope[] = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr char kTokenService[] = "https://oauth2.googleapis.com/token";
constexpr char kMetadataHost[] = "metadata.google.internal";
constexpr char kMetadataPath[] = "/computeMetadata/v1/instance/service-accounts/default/token";
// A machine that is none of Google's has nobody there, and must not be waited for.
constexpr milliseconds kMetadataTimeout(3'000);
constexpr int64_t kRenewBeforeUs = int64_t{5} * 60 * 1'000'000;
constexpr int kOk = 200;

std::string TextOf(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// {"access_token": …, "expires_in": seconds}
Result<AccessToken> ParseToken(const HttpResponse& response, const std::string& where,
                               int64_t now_us) {
  const json answer = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (response.status != kOk) {
    const bool is_later = response.status >= 500 || response.status == 429;
    const std::string why = answer.is_object() ? TextOf(answer, "error_description") : "";
    if (is_later) return RemoteError({.retryable = true}, "{} answered {}", where, response.status);
    return UserError("{} refuses the credentials: {} {}", where, response.status, why);
  }
  const std::string token = answer.is_object() ? TextOf(answer, "access_token") : "";
  if (token.empty()) return RemoteError({}, "{} answered without an access token", where);
  if (token.find_first_of("\r\n") != std::string::npos)
    return RemoteError({}, "{} answered with a token of several lines", where);
  const auto expires = answer.find("expires_in");
  const int64_t seconds =
      expires != answer.end() && expires->is_number() ? expires->get<int64_t>() : 0;
  return AccessToken{.text = token, .expires_us = now_us + seconds * 1'000'000};
}

Result<AccessToken> AskTokenService(const std::string& url, const Form& form,
                                    const TokenSettings& settings) {
  const std::string where = "Google's token service " + url;
  BANQUET_ASSIGN_OR_RETURN(const auto session,
                           HttpSession::Open({.server = where,
                                              .connect_timeout = settings.connect_timeout,
                                              .stall_timeout = settings.stall_timeout,
                                              .stop = settings.stop,
                                              .response_bytes_max = 1 << 20}));
  const std::string body = FormBody(form);
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response,
                           session->Send({.method = "POST",
                                          .url = url,
                                          .headers = {std::string("content-type: ") + kFormType},
                                          .body = body}));
  return ParseToken(response, where, settings.clock->NowUs());
}

Result<AccessToken> FromServiceAccount(const json& key, const std::string& url,
                                       const TokenSettings& settings) {
  BANQUET_ASSIGN_OR_RETURN(const std::string assertion,
                           SignedClaim({.issuer = TextOf(key, "client_email"),
                                        .scope = kScope,
                                        .audience = url,
                                        .key_id = TextOf(key, "private_key_id"),
                                        .issued_s = settings.clock->NowUs() / 1'000'000},
                                       TextOf(key, "private_key")));
  return AskTokenService(
      url,
      {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}},
      settings);
}

Result<AccessToken> FromUser(const json& login, const std::string& url,
                             const TokenSettings& settings) {
  return AskTokenService(url,
                         {{"grant_type", "refresh_token"},
                          {"client_id", TextOf(login, "client_id")},
                          {"client_secret", TextOf(login, "client_secret")},
                          {"refresh_token", TextOf(login, "refresh_token")}},
                         settings);
}

Result<AccessToken> FromFile(const std::string& path, const TokenSettings& settings) {
  const Result<std::string> text = ReadWholeFile(path);
  if (!text.ok())
    return UserError("Google's credentials cannot be read: {}", text.status().message());
  const json parsed = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return UserError("Google's credentials are no JSON object: {}", path);
  std::string url = TextOf(parsed, "token_uri");
  if (url.empty()) url = kTokenService;
  const std::string type = TextOf(parsed, "type");
  Result<AccessToken> token = UserError(
      "Google's credentials are of type '{}': this version takes service_account, authorized_user "
      "and the metadata server",
      type);
  if (type == "service_account") token = FromServiceAccount(parsed, url, settings);
  if (type == "authorized_user") token = FromUser(parsed, url, settings);
  return token.ok() ? token : Annotate(token.status(), path);
}

Result<AccessToken> FromMetadata(const TokenSettings& settings) {
  const std::string host = Environment("GCE_METADATA_HOST").value_or(kMetadataHost);
  const std::string where = "Google's metadata server";
  BANQUET_ASSIGN_OR_RETURN(
      const auto session,
      HttpSession::Open({.server = where,
                         .connect_timeout = std::min(settings.connect_timeout, kMetadataTimeout),
                         .stall_timeout = std::min(settings.stall_timeout, kMetadataTimeout),
                         .stop = settings.stop,
                         .response_bytes_max = 1 << 20,
                         .use_proxy = false}));
  const Result<HttpResponse> response =
      session->Send({.url = "http://" + host + kMetadataPath + "?scopes=" + kScope,
                     .headers = {"metadata-flavor: Google"}});
  if (response.ok()) return ParseToken(*response, where, settings.clock->NowUs());
  if (FaultOf(response.status()) == Fault::kCancelled) return response.status();
  return UserError(
      "No Google credentials are found: neither in GOOGLE_APPLICATION_CREDENTIALS, nor of `gcloud "
      "auth application-default login`, nor at the metadata server");
}

std::string LoginFile() {
  std::string folder = Environment("CLOUDSDK_CONFIG").value_or("");
  if (folder.empty()) folder = Environment("HOME").value_or("") + "/.config/gcloud";
  return folder + "/application_default_credentials.json";
}

Result<AccessToken> Ask(const TokenSettings& settings) {
  if (const auto path = Environment("GOOGLE_APPLICATION_CREDENTIALS"))
    return FromFile(*path, settings);
  const std::string login = LoginFile();
  if (::access(login.c_str(), F_OK) == 0) return FromFile(login, settings);
  return FromMetadata(settings);
}

}  // namespace

Result<std::string> AccessTokens::Get() {
  const std::lock_guard lock(mutex_);
  const int64_t now_us = settings_.clock->NowUs();
  if (kept_.has_value() && kept_->expires_us - kRenewBeforeUs > now_us) return kept_->text;
  Result<AccessToken> asked = Ask(settings_);
  if (asked.ok()) {
    kept_ = *std::move(asked);
    return kept_->text;
  }
  // One that is still good is used to its end, whatever keeps us from the next.
  if (kept_.has_value() && kept_->expires_us > now_us) return kept_->text;
  return asked.status();
}

void AccessTokens::Expire(const std::string& refused) {
  const std::lock_guard lock(mutex_);
  if (kept_.has_value() && kept_->text == refused) kept_.reset();
}

}  // namespace banquet::google
