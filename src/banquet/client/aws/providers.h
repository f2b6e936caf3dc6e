#pragma once
// The single places of the credential chain. nullopt: nothing is configured there.

#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/client/aws/credential_chain.h"
#include "banquet/client/aws/profiles.h"

namespace banquet::aws {

using Found = Result<std::optional<TimedCredentials>>;

Found FromEnvironment(const ChainSettings& settings);
// The chosen profile: its role, web identity, keys or process.
Found FromProfiles(const ChainSettings& settings);
Found FromWebIdentity(const ChainSettings& settings);  // Of the environment.
Found FromContainer(const ChainSettings& settings);
Found FromInstance(const ChainSettings& settings);

// --- STS (sts.cc) ---

struct RoleRequest {
  std::string role_arn;
  std::string session_name;      // Empty: ours.
  std::string external_id;       // Empty: none.
  std::string duration_seconds;  // Empty: the service's default.
};
Result<TimedCredentials> AssumeRole(const RoleRequest& role, const Credentials& source,
                                    const ChainSettings& settings);
Result<TimedCredentials> AssumeRoleWithWebIdentity(const RoleRequest& role,
                                                   const std::string& token_file,
                                                   const ChainSettings& settings);

// {"AccessKeyId": …, "SecretAccessKey": …, "Token" or "SessionToken": …, "Expiration": …}. `where`
// names the place in errors, which never repeat the text.
Result<TimedCredentials> ParseCredentials(const std::string& json, const std::string& where);

}  // namespace banquet::aws
