#pragma once
// One run at a time per view, between machines: an object beside the registry. Its content says who
// holds it and how long one write of it counts; its age is the service's word.

#include <chrono>
#include <string>

#include "banquet/base/status.h"
#include "banquet/client/bucket/bucket.h"
#include "banquet/registry/lease.h"

namespace banquet::bucket_registry {

// "<registry's key>.banquet-leases/<view>-<hash of project and view>"
std::string LeaseKey(const std::string& registry_key, const std::string& project,
                     const std::string& view);

// As LeasePlace has them; `duration` is how long the writing of the lease counts.
Result<LeaseTry> TryTakeLease(Bucket* bucket, const std::string& key, const Lease& lease,
                              std::chrono::milliseconds duration);
Result<bool> RenewLease(Bucket* bucket, const std::string& key, const Lease& lease,
                        std::chrono::milliseconds duration);
Status DropLease(Bucket* bucket, const std::string& key, const Lease& lease);

}  // namespace banquet::bucket_registry
