// The security token service: roles for keys, and roles for tokens of another identity.

#include <fmt/format.h>

#include <string_view>

#include "banquet/base/environment.h"
#include "banquet/base/time_text.h"
#include "banquet/client/aws/providers.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/http/form.h"
#include "banquet/client/http/http_session.h"

namespace banquet::aws {
namespace {

constexpr std::string_view kVersion = "2011-06-15";

std::string EndpointOf(const ChainSettings& settings) {
  for (const char* name : {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"}) {
    if (const auto url = Environment(name)) return *url;
  }
  const char* suffix = settings.region.starts_with("cn-") ? ".cn" : "";
  return fmt::format("https://sts.{}.amazonaws.com{}", settings.region, suffix);
}

// What stands between <name> and </name>; empty: nothing.
std::string_view Element(std::string_view xml, std::string_view name) {
  const size_t begin = xml.find(fmt::format("<{}>", name));
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = xml.substr(begin + name.size() + 2);
  return rest.substr(0, rest.find(fmt::format("</{}>", name)));
}

Result<TimedCredentials> TakeAnswer(const HttpResponse& response, const std::string& role) {
  const std::string_view xml = response.body;
  if (response.status >= 500) {
    return RemoteError({.retryable = true}, "STS answered {} for role {}", response.status, role);
  }
  if (response.status != 200) {
    return UserError("STS refuses role {}: {} ({})", role, Element(xml, "Message"),
                     Element(xml, "Code"));
  }
  TimedCredentials found;
  found.keys = {.access_key_id = std::string(Element(xml, "AccessKeyId")),
                .secret_access_key = std::string(Element(xml, "SecretAccessKey")),
                .session_token = std::string(Element(xml, "SessionToken"))};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    return RemoteError({}, "STS answered without credentials for role {}", role);
  }
  BANQUET_ASSIGN_OR_RETURN(found.expires_us, ParseInstant(Element(xml, "Expiration")));
  return found;
}

Form FormOf(std::string_view action, const RoleRequest& role) {
  return {{"Action", std::string(action)},
          {"Version", std::string(kVersion)},
          {"RoleArn", role.role_arn},
          {"RoleSessionName", role.session_name.empty() ? "banquet" : role.session_name},
          {"ExternalId", role.external_id},
          {"DurationSeconds", role.duration_seconds}};
}

// `source`: who signs; nullptr: nobody needs to.
Result<TimedCredentials> Call(const Form& form, const RoleRequest& role, const Credentials* source,
                              const ChainSettings& settings) {
  std::string url = EndpointOf(settings);
  while (url.ends_with('/')) url.pop_back();
  const std::string body = FormBody(form);
  HttpRequest request{.method = "POST", .url = url + "/", .headers = {}, .body = body};
  request.headers.push_back(std::string("content-type: ") + kFormType);
  if (source != nullptr) {
    const std::string host = url.substr(url.find("://") + 3);
    const SigningRequest to_sign{
        .host = host, .headers = {{"content-type", kFormType}}, .body = body};
    for (std::string& header :
         SignatureHeaders(to_sign, {.region = settings.region, .service = "sts"}, *source,
                          settings.clock->NowUs())) {
      request.headers.push_back(std::move(header));
    }
  }
  BANQUET_ASSIGN_OR_RETURN(const auto session,
                           HttpSession::Open({.server = "STS",
                                              .connect_timeout = settings.connect_timeout,
                                              .stall_timeout = settings.stall_timeout,
                                              .stop = settings.stop}));
  BANQUET_ASSIGN_OR_RETURN(const HttpResponse response, session->Send(request));
  return TakeAnswer(response, role.role_arn);
}

}  // namespace

Result<TimedCredentials> AssumeRole(const RoleRequest& role, const Credentials& source,
                                    const ChainSettings& settings) {
  return Call(FormOf("AssumeRole", role), role, &source, settings);
}

Result<TimedCredentials> AssumeRoleWithWebIdentity(const RoleRequest& role,
                                                   const std::string& token_file,
                                                   const ChainSettings& settings) {
  BANQUET_ASSIGN_OR_RETURN(std::string token, ReadWholeFile(token_file));
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  Form form = FormOf("AssumeRoleWithWebIdentity", role);
  form.emplace_back("WebIdentityToken", token);
  return Call(form, role, nullptr, settings);
}

}  // namespace banquet::aws
