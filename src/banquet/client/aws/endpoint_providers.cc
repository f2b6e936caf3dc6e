// Credentials that the machine hands out: a container's and an instance's.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "banquet/base/environment.h"
#include "banquet/base/time_text.h"
#include "banquet/client/aws/providers.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/http/http_session.h"

namespace banquet::aws {
namespace {

constexpr char kContainerHost[] = "http://169.254.170.2";
constexpr char kInstanceHost[] = "http://169.254.169.254";
constexpr char kRolesPath[] = "/latest/meta-data/iam/security-credentials/";
// A machine that is no instance has nobody there, and must not be waited for.
constexpr std::chrono::milliseconds kInstanceTimeout{1000};

Result<std::unique_ptr<HttpSession>> OpenSession(const std::string& server,
                                                 const ChainSettings& settings,
                                                 std::chrono::milliseconds timeout) {
  return HttpSession::Open({.server = server,
                            .connect_timeout = std::min(settings.connect_timeout, timeout),
                            .stall_timeout = std::min(settings.stall_timeout, timeout),
                            .stop = settings.stop,
                            .response_bytes_max = 1 << 20,
                            .use_proxy = false});
}

// In the clear only to the machine itself.
bool MayBeAsked(const std::string& url) {
  if (url.starts_with("https://")) return true;
  for (const char* host :
       {"localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    const std::string begin = fmt::format("http://{}", host);
    if (!url.starts_with(begin)) continue;
    const char next = url.size() > begin.size() ? url[begin.size()] : '/';
    if (next == '/' || next == ':' || next == '?') return true;
  }
  return false;
}

Result<std::string> ContainerToken() {
  if (const auto file = Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    BANQUET_ASSIGN_OR_RETURN(std::string token, ReadWholeFile(*file));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    return token;
  }
  return Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
}

Status Unexpected(const std::string& where, int status) {
  return RemoteError({.retryable = status >= 500 || status == 429}, "{} answered {}", where,
                     status);
}

}  // namespace

Result<TimedCredentials> ParseCredentials(const std::string& json, const std::string& where) {
  const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* key) {
    const bool has = parsed.is_object() && parsed.contains(key) && parsed[key].is_string();
    return has ? parsed[key].get<std::string>() : std::string();
  };
  TimedCredentials found;
  found.keys = {
      .access_key_id = text("AccessKeyId"),
      .secret_access_key = text("SecretAccessKey"),
      .session_token = text("SessionToken").empty() ? text("Token") : text("SessionToken")};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    return UserError("{} gives no AccessKeyId and SecretAccessKey", where);
  }
  if (const std::string expiration = text("Expiration"); !expiration.empty()) {
    BANQUET_ASSIGN_OR_RETURN(found.expires_us, ParseInstant(expiration));
  }
  return found;
}

Found FromContainer(const ChainSettings& settings) {
  std::string url;
  if (const auto path = Environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = kContainerHost + *path;
  } else if (const auto full = Environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    url = *full;
  } else {
    return std::nullopt;
  }
  const std::string where = "the container's credentials endpoint";
  if (!MayBeAsked(url)) {
    return UserError("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor this machine's: {}",
                     url);
  }
  BANQUET_ASSIGN_OR_RETURN(const auto session,
                           OpenSession(where, settings, settings.stall_timeout));
  HttpRequest request{.url = url};
  BANQUET_ASSIGN_OR_RETURN(const std::string token, ContainerToken());
  if (token.find_first_of("\r\n") != std::string::npos) {
    return UserError("The authorization token of {} has a line break", where);
  }
  if (!token.empty()) request.headers.push_back("authorization: " + token);
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response, session->Send(request));
  if (response.status != 200) return Unexpected(where, response.status);
  return ParseCredentials(response.body, where);
}

Found FromInstance(const ChainSettings& settings) {
  if (Environment("AWS_EC2_METADATA_DISABLED").value_or("") == "true") return std::nullopt;
  const std::string where = "the instance's metadata service";
  std::string host = Environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(kInstanceHost);
  while (host.ends_with('/')) host.pop_back();
  BANQUET_ASSIGN_OR_RETURN(const auto session, OpenSession(where, settings, kInstanceTimeout));
  const Result<HttpResponse> token =
      session->Send({.method = "PUT",
                     .url = host + "/latest/api/token",
                     .headers = {"x-aws-ec2-metadata-token-ttl-seconds: 21600"}});
  if (!token.ok() && FaultOf(token.status()) == Fault::kCancelled) return token.status();
  if (!token.ok() || token->status != 200) return std::nullopt;  // This is no instance.
  const std::vector<std::string> headers = {"x-aws-ec2-metadata-token: " + token->body};
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse roles,
                           session->Send({.url = host + kRolesPath, .headers = headers}));
  if (roles.status == 404) return std::nullopt;  // An instance without a role.
  if (roles.status != 200) return Unexpected(where, roles.status);
  const std::string role = roles.body.substr(0, roles.body.find('\n'));
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response,
                           session->Send({.url = host + kRolesPath + role, .headers = headers}));
  if (response.status != 200) return Unexpected(where, response.status);
  return ParseCredentials(response.body, where);
}

}  // namespace banquet::aws
