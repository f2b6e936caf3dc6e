#pragma once
// Who we are to AWS: the places where its own tools look, in their order.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/aws/signature.h"

namespace banquet::aws {

struct ChainSettings {
  std::string region;  // Of the STS endpoint.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
  Clock* clock = &SystemClock();  // Borrowed.
};

struct TimedCredentials {
  Credentials keys;
  std::optional<int64_t> expires_us;  // Since 1970; nullopt: never.
};

// Looks in turn at: the keys of the environment (AWS_ACCESS_KEY_ID, …); its web identity
// (AWS_WEB_IDENTITY_TOKEN_FILE); the profile: its role (role_arn with web_identity_token_file,
// source_profile or credential_source), its keys, its credential_process; the container's endpoint
// (ECS, EKS Pod Identity); the instance's (IMDSv2). The first that is configured counts: its
// failure is the failure.
//
// Safe to share between threads: one asks, the others wait for its answer. Never prints a secret.
class CredentialChain {
 public:
  explicit CredentialChain(ChainSettings settings) : settings_(std::move(settings)) {}

  // Valid for some minutes more. Nobody to be is a user error that names the places.
  Result<Credentials> Get();

  // The service says that these have expired: the next Get asks anew.
  void Expire(const Credentials& refused);

 private:
  const ChainSettings settings_;
  std::mutex mutex_;
  std::optional<TimedCredentials> kept_;
};

}  // namespace banquet::aws
