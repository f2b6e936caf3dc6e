#include "banquet/client/aws/credential_chain.h"

#include "banquet/client/aws/providers.h"

namespace banquet::aws {
namespace {

constexpr int64_t kRenewBeforeUs = int64_t{5} * 60 * 1'000'000;

Result<TimedCredentials> Ask(const ChainSettings& settings) {
  for (const auto provider :
       {FromEnvironment, FromWebIdentity, FromProfiles, FromContainer, FromInstance}) {
    BANQUET_ASSIGN_OR_RETURN(auto found, provider(settings));
    if (found.has_value()) return *std::move(found);
  }
  return UserError(
      "No AWS credentials are found: neither in the environment (AWS_ACCESS_KEY_ID, "
      "AWS_WEB_IDENTITY_TOKEN_FILE), nor in profile {} of ~/.aws, nor at a container's or an "
      "instance's endpoint",
      ChosenProfile());
}

}  // namespace

Result<Credentials> CredentialChain::Get() {
  const std::lock_guard lock(mutex_);
  const bool is_fresh =
      kept_.has_value() && (!kept_->expires_us.has_value() ||
                            *kept_->expires_us - kRenewBeforeUs > settings_.clock->NowUs());
  if (is_fresh) return kept_->keys;
  Result<TimedCredentials> asked = Ask(settings_);
  if (asked.ok()) {
    kept_ = *std::move(asked);
    return kept_->keys;
  }
  // Those that are still good are used to their end.
  const bool is_good = kept_.has_value() && kept_->expires_us > settings_.clock->NowUs();
  return is_good && IsRetryable(asked.status()) ? Result<Credentials>(kept_->keys) : asked.status();
}

void CredentialChain::Expire(const Credentials& refused) {
  const std::lock_guard lock(mutex_);
  if (kept_.has_value() && kept_->keys.access_key_id == refused.access_key_id) kept_.reset();
}

}  // namespace banquet::aws
