#include "banquet/registry/s3/bucket_lease.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "banquet/registry/lock_name.h"
#include "banquet/registry/random_uuid.h"

namespace banquet::s3_registry {
namespace {

using aws::BucketObject;
using aws::PutCondition;
using aws::PutOutcome;
using std::chrono::milliseconds;

// Four lines; the last makes each writing another object, by whose ETag it can be told.
std::string ContentOf(const Lease& lease, milliseconds duration) {
  return fmt::format("{}\n{}\n{}\n{}\n", lease.owner, duration.count(), lease.holder, RandomUuid());
}

struct StoredLease {
  std::string owner;
  milliseconds duration{0};
  std::string holder;
};

StoredLease Parsed(std::string_view content) {
  std::vector<std::string> lines;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    lines.emplace_back(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  lines.resize(4);
  int64_t duration_ms = 0;
  std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), duration_ms);
  return {.owner = lines[0], .duration = milliseconds(duration_ms), .holder = lines[2]};
}

// Whole seconds are all that the service tells: a lease counts to the end of its last one.
milliseconds LeftOf(const BucketObject& object, const StoredLease& stored) {
  constexpr milliseconds kCoarseness(1'000);
  return stored.duration + kCoarseness - std::chrono::seconds(object.now_s - object.modified_s);
}

Status NoConditions(const std::string& key) {
  return UserError(
      "The service of the registry's bucket knows no conditional writes (If-None-Match), so that "
      "runs cannot exclude each other: {}",
      key);
}

}  // namespace

std::string LeaseKey(const std::string& registry_key, const std::string& project,
                     const std::string& view) {
  return fmt::format("{}.banquet-leases/{}", registry_key, ViewLockName(project, view));
}

Result<LeaseTry> TryTakeLease(aws::S3Bucket* bucket, const std::string& key, const Lease& lease,
                              milliseconds duration) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<BucketObject> found, bucket->Get(key));
  PutCondition condition{.is_absent = !found.has_value()};
  if (found.has_value()) {
    const StoredLease stored = Parsed(found->bytes);
    const milliseconds left = LeftOf(*found, stored);
    if (left.count() > 0) return LeaseTry{.holder = stored.holder, .left = left};
    condition.etag = found->etag;
  }
  BANQUET_ASSIGN_OR_RETURN(const PutOutcome outcome,
                           bucket->Put(key, ContentOf(lease, duration), condition));
  if (outcome == PutOutcome::kNoConditions) return NoConditions(key);
  return LeaseTry{.taken = outcome == PutOutcome::kWritten};
}

Result<bool> RenewLease(aws::S3Bucket* bucket, const std::string& key, const Lease& lease,
                        milliseconds duration) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<BucketObject> found, bucket->Get(key));
  if (!found.has_value() || Parsed(found->bytes).owner != lease.owner) return false;
  BANQUET_ASSIGN_OR_RETURN(
      const PutOutcome outcome,
      bucket->Put(key, ContentOf(lease, duration), {.is_absent = false, .etag = found->etag}));
  return outcome == PutOutcome::kWritten;
}

Result<bool> OwnsLease(aws::S3Bucket* bucket, const std::string& key, const Lease& lease) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<BucketObject> found, bucket->Get(key));
  return found.has_value() && Parsed(found->bytes).owner == lease.owner;
}

Status DropLease(aws::S3Bucket* bucket, const std::string& key, const Lease& lease) {
  BANQUET_ASSIGN_OR_RETURN(const bool ours, OwnsLease(bucket, key, lease));
  return ours ? bucket->Delete(key) : Status::OK();
}

}  // namespace banquet::s3_registry
