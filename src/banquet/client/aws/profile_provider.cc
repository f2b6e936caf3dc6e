// Credentials of the environment and of the profiles in AWS's shared files.

#include <set>

#include "banquet/base/environment.h"
#include "banquet/client/aws/providers.h"
#include "banquet/client/process/command_output.h"

namespace banquet::aws {
namespace {

std::string ValueOf(const Profile& profile, const std::string& key) {
  const auto found = profile.find(key);
  return found == profile.end() ? std::string() : found->second;
}

// Follows role_arn and source_profile from profile to profile.
class ProfileReader {
 public:
  ProfileReader(const Profiles& profiles, const ChainSettings& settings)
      : profiles_(profiles), settings_(settings) {}

  Found Read(const std::string& name) {
    const auto found = profiles_.find(name);
    if (found == profiles_.end()) return std::nullopt;
    const Profile& profile = found->second;
    // A profile may name itself as the source: its role is then assumed by its own keys.
    const bool is_new = visited_.insert(name).second;
    const RoleRequest role{.role_arn = ValueOf(profile, "role_arn"),
                           .session_name = ValueOf(profile, "role_session_name"),
                           .external_id = ValueOf(profile, "external_id"),
                           .duration_seconds = ValueOf(profile, "duration_seconds")};
    if (!role.role_arn.empty() && is_new) return ReadRole(name, profile, role);
    return ReadKeys(name, profile);
  }

 private:
  Found ReadRole(const std::string& name, const Profile& profile, const RoleRequest& role) {
    if (const std::string file = ValueOf(profile, "web_identity_token_file"); !file.empty()) {
      return AssumeRoleWithWebIdentity(role, file, settings_);
    }
    if (profile.contains("mfa_serial")) {
      return UserError("AWS profile {} asks for a second factor, which nobody can type in a run",
                       name);
    }
    BANQUET_ASSIGN_OR_RETURN(const auto source, ReadSource(name, profile));
    if (!source.has_value()) {
      return UserError(
          "AWS profile {} has a role_arn, and its source_profile or credential_source gives no "
          "credentials",
          name);
    }
    return AssumeRole(role, source->keys, settings_);
  }

  Found ReadSource(const std::string& name, const Profile& profile) {
    if (const std::string source = ValueOf(profile, "source_profile"); !source.empty()) {
      if (source != name && visited_.contains(source)) {
        return UserError("AWS profiles name each other as source_profile: {} and {}", name, source);
      }
      return Read(source);
    }
    const std::string source = ValueOf(profile, "credential_source");
    if (source == "Environment") return FromEnvironment(settings_);
    if (source == "EcsContainer") return FromContainer(settings_);
    if (source == "Ec2InstanceMetadata") return FromInstance(settings_);
    return std::nullopt;
  }

  Found ReadKeys(const std::string& name, const Profile& profile) {
    const std::string key = ValueOf(profile, "aws_access_key_id");
    const std::string secret = ValueOf(profile, "aws_secret_access_key");
    if (!key.empty() && !secret.empty()) {
      return TimedCredentials{.keys = {.access_key_id = key,
                                       .secret_access_key = secret,
                                       .session_token = ValueOf(profile, "aws_session_token")}};
    }
    if (const std::string line = ValueOf(profile, "credential_process"); !line.empty()) {
      const std::string where = "credential_process of AWS profile " + name;
      BANQUET_ASSIGN_OR_RETURN(
          const std::string output,
          OutputOf(line, where, {.timeout = settings_.stall_timeout, .stop = settings_.stop}));
      return ParseCredentials(output, where);
    }
    if (profile.contains("sso_session") || profile.contains("sso_start_url")) {
      return UserError(
          "AWS profile {0} logs in by SSO, which this version does not; give it credential_process "
          "= "
          "aws configure export-credentials --profile {0} under another name",
          name);
    }
    return std::nullopt;
  }

  const Profiles& profiles_;
  const ChainSettings& settings_;
  std::set<std::string> visited_;
};

}  // namespace

Found FromEnvironment(const ChainSettings& /*settings*/) {
  const auto key = Environment("AWS_ACCESS_KEY_ID");
  if (!key.has_value()) return std::nullopt;
  const auto secret = Environment("AWS_SECRET_ACCESS_KEY");
  if (!secret.has_value()) {
    return UserError("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  }
  return TimedCredentials{.keys = {.access_key_id = *key,
                                   .secret_access_key = *secret,
                                   .session_token = Environment("AWS_SESSION_TOKEN").value_or("")}};
}

Found FromWebIdentity(const ChainSettings& settings) {
  const auto file = Environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto role = Environment("AWS_ROLE_ARN");
  if (!file.has_value() || !role.has_value()) return std::nullopt;
  return AssumeRoleWithWebIdentity(
      {.role_arn = *role, .session_name = Environment("AWS_ROLE_SESSION_NAME").value_or("")}, *file,
      settings);
}

Found FromProfiles(const ChainSettings& settings) {
  BANQUET_ASSIGN_OR_RETURN(const Profiles profiles, LoadProfiles());
  const auto chosen = Environment("AWS_PROFILE");
  if (chosen.has_value() && !profiles.contains(*chosen)) {
    return UserError("AWS_PROFILE names a profile that is not in ~/.aws: {}", *chosen);
  }
  return ProfileReader(profiles, settings).Read(ChosenProfile());
}

}  // namespace banquet::aws
