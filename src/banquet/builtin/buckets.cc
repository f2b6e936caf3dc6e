#include "banquet/builtin/buckets.h"

#include <memory>
#include <string>
#include <utility>

#include "banquet/base/environment.h"
#include "banquet/client/aws/s3_bucket.h"
#include "banquet/client/google/gcs_bucket.h"

namespace banquet {
namespace {

constexpr char kDefaultRegion[] = "us-east-1";

// Of the first variable that is set; empty: the service itself. Never repeated, since it may hold a
// password.
Result<std::string> Endpoint(const char* service, std::initializer_list<const char*> names) {
  std::string endpoint = FirstOfEnvironment(names);
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const size_t host = endpoint.find("://");
  const bool is_plain =
      host != std::string::npos && endpoint.find_first_of("/@?", host + 3) == std::string::npos;
  if (endpoint.empty() || is_plain) return endpoint;
  std::string named;
  for (const char* name : names) named += (named.empty() ? "" : ", ") + std::string(name);
  return UserError(
      "The endpoint of {} must be http://host:port or https://host:port, without path and user "
      "({})",
      service, named);
}

Result<OpenBucket> OpenS3(const BucketDefaults& defaults, Clock& clock) {
  BANQUET_ASSIGN_OR_RETURN(
      const std::string endpoint,
      Endpoint("S3", {"FEAST_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}));
  const std::string region = FirstOfEnvironment({"AWS_REGION", "AWS_DEFAULT_REGION"});
  const auto chain = std::make_shared<aws::CredentialChain>(
      aws::ChainSettings{.region = region,
                         .connect_timeout = defaults.connect_timeout,
                         .stall_timeout = defaults.stall_timeout,
                         .clock = &clock});
  return OpenBucket([endpoint, region, chain, &clock](
                        const std::string& bucket,
                        const BucketPatience& patience) -> Result<std::unique_ptr<Bucket>> {
    return aws::S3Bucket::Open({.bucket = bucket,
                                .endpoint = endpoint,
                                .region = region.empty() ? kDefaultRegion : region,
                                .patience = patience,
                                .clock = &clock,
                                .chain = chain.get()});
  });
}

Result<OpenBucket> OpenGcs(const BucketDefaults& defaults, Clock& clock) {
  BANQUET_ASSIGN_OR_RETURN(const std::string emulator,
                           Endpoint("Google Cloud Storage", {"STORAGE_EMULATOR_HOST"}));
  const auto tokens = std::make_shared<google::AccessTokens>(
      google::TokenSettings{.connect_timeout = defaults.connect_timeout,
                            .stall_timeout = defaults.stall_timeout,
                            .clock = &clock});
  return OpenBucket([emulator, tokens, &clock](
                        const std::string& bucket,
                        const BucketPatience& patience) -> Result<std::unique_ptr<Bucket>> {
    return google::GcsBucket::Open({.bucket = bucket,
                                    .endpoint = emulator,
                                    .patience = patience,
                                    .clock = &clock,
                                    .tokens = emulator.empty() ? tokens.get() : nullptr});
  });
}

}  // namespace

bool IsBucketScheme(std::string_view scheme) { return scheme == "s3" || scheme == "gs"; }

Result<OpenBucket> MakeOpenBucket(std::string_view scheme, const BucketDefaults& defaults,
                                  Clock& clock) {
  return scheme == "gs" ? OpenGcs(defaults, clock) : OpenS3(defaults, clock);
}

}  // namespace banquet
