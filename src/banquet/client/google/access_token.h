#pragma once
// Who we are to Google: application default credentials, as OAuth access tokens.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"

namespace banquet::google {

struct TokenSettings {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
  Clock* clock = &SystemClock();  // Borrowed.
};

struct AccessToken {
  std::string text;
  int64_t expires_us = 0;  // Since 1970.
};

// Looks where Google's own libraries look, in their order: the file that
// GOOGLE_APPLICATION_CREDENTIALS names; the one that `gcloud auth application-default login`
// leaves; the metadata server (Compute Engine, GKE with workload identity). A file is a service
// account's key or a user's refresh token; other kinds (external_account,
// impersonated_service_account) are refused by name. The first that is there counts: its failure is
// the failure.
//
// Safe to share between threads: one asks, the others wait for its answer. Never prints a secret.
class AccessTokens {
 public:
  explicit AccessTokens(TokenSettings settings) : settings_(std::move(settings)) {}

  // Valid for some minutes more, for reading and writing objects. Nobody to be is a user error that
  // names the places.
  Result<std::string> Get();

  // The service refuses this one: the next Get asks anew.
  void Expire(const std::string& refused);

 private:
  const TokenSettings settings_;
  std::mutex mutex_;
  std::optional<AccessToken> kept_;
};

}  // namespace banquet::google
