#pragma once
// Feast's file registry as an object of S3 (feast-compat 1.3, 2.4).

#include <chrono>
#include <memory>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet::s3_registry {

struct S3RegistrySettings {
  std::string uri;       // s3://bucket/key
  std::string endpoint;  // URL; empty: AWS's.
  std::string region;    // Empty: us-east-1, or where the bucket says it is.
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
Result<std::unique_ptr<Registry>> MakeS3Registry(const S3RegistrySettings& settings, Clock& clock);

}  // namespace banquet::s3_registry
