#pragma once
// Feast's file registry as an object of S3 or Google Cloud Storage (feast-compat 1.3, 2.4).

#include <chrono>
#include <memory>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/bucket/bucket.h"
#include "banquet/registry/registry.h"

namespace banquet::bucket_registry {

struct BucketRegistrySettings {
  std::string uri;  // s3://bucket/key, gs://bucket/key
  OpenBucket open;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds retry_timeout{300'000};  // All attempts at recording one interval.
  std::chrono::milliseconds lease_duration{60'000};
};

// An interval is recorded by a write that asks for the object to be the one that was read; where it
// is not, everything is done again, so that no change is lost. A service that does not keep such
// conditions is refused when a view is locked.
//
// A view's lock is a lease (bucket_lease.h). `clock` must outlive the registry.
Result<std::unique_ptr<Registry>> MakeBucketRegistry(BucketRegistrySettings settings, Clock& clock);

}  // namespace banquet::bucket_registry
