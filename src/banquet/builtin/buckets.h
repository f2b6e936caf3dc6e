#pragma once
// Connections to buckets as the environment says: endpoints, regions, credentials.

#include <chrono>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/bucket/bucket.h"

namespace banquet {

// How the credentials are asked for.
struct BucketDefaults {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
};

// Whether buckets are known by this scheme: "s3", "gs".
bool IsBucketScheme(std::string_view scheme);

// S3: at FEAST_S3_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or AWS, by the credential
// chain of client/aws. Google Cloud Storage: at STORAGE_EMULATOR_HOST, without credentials, or at
// Google by its application default credentials. An endpoint that is more than scheme, host and
// port is a user error. `clock` must outlive what is returned.
Result<OpenBucket> MakeOpenBucket(std::string_view scheme, const BucketDefaults& defaults,
                                  Clock& clock);

}  // namespace banquet
