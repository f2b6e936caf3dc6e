#include "banquet/registry/bucket/bucket_lease.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "banquet/registry/lock_name.h"
#include "banquet/registry/random_uuid.h"

namespace banquet::bucket_registry {
namespace {

using std::chrono::milliseconds;

constexpr int kRenewAttempts = 3;
constexpr milliseconds kDropDuration(60'000);

// Four lines; the last makes each writing another object, by whose version it can be told.
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

// What a service that ignores conditions would let two runs do.
Status CheckThatItIsKept(Bucket* bucket, const std::string& key, const Lease& lease,
                         milliseconds duration) {
  const std::string content = ContentOf(lease, duration);
  bool is_kept = true;
  for (const PutCondition& condition :
       {PutCondition{.is_absent = true},
        PutCondition{.is_absent = false, .version = bucket->no_version()}}) {
    BANQUET_ASSIGN_OR_RETURN(const PutOutcome outcome, bucket->Put(key, content, condition));
    is_kept = is_kept && outcome == PutOutcome::kChanged;
  }
  if (is_kept) return Status::OK();
  return UserError(
      "The service of the registry's bucket does not keep conditions of writes, so "
      "that runs cannot exclude each other: {}",
      key);
}

// Of a lease that was just written.
Result<LeaseTry> Taken(Bucket* bucket, const std::string& key, const Lease& lease,
                       milliseconds duration) {
  const Status kept = CheckThatItIsKept(bucket, key, lease, duration);
  if (kept.ok()) return LeaseTry{.taken = true};
  // Nobody is to wait for what we do not hold; what cannot be deleted runs out.
  const Status ignored = bucket->Delete(key);
  return kept;
}

}  // namespace

std::string LeaseKey(const std::string& registry_key, const std::string& project,
                     const std::string& view) {
  return fmt::format("{}.banquet-leases/{}", registry_key, ViewLockName(project, view));
}

// The write comes first: who may not list a bucket is not told that an object is missing.
Result<LeaseTry> TryTakeLease(Bucket* bucket, const std::string& key, const Lease& lease,
                              milliseconds duration) {
  BANQUET_ASSIGN_OR_RETURN(PutOutcome outcome, bucket->Put(key, ContentOf(lease, duration),
                                                           PutCondition{.is_absent = true}));
  if (outcome == PutOutcome::kWritten) return Taken(bucket, key, lease, duration);
  BANQUET_ASSIGN_OR_RETURN(const std::optional<BucketObject> found, bucket->Get(key));
  if (!found.has_value()) return LeaseTry{};  // Released this moment.
  const StoredLease stored = Parsed(found->bytes);
  // The answer to an earlier writing may have been lost.
  if (stored.owner == lease.owner) return Taken(bucket, key, lease, duration);
  const milliseconds left = LeftOf(*found, stored);
  if (left.count() > 0) return LeaseTry{.holder = stored.holder, .left = left};
  BANQUET_ASSIGN_OR_RETURN(
      outcome, bucket->Put(key, ContentOf(lease, duration),
                           PutCondition{.is_absent = false, .version = found->version}));
  if (outcome == PutOutcome::kWritten) return Taken(bucket, key, lease, duration);
  return LeaseTry{};
}

Result<bool> RenewLease(Bucket* bucket, const std::string& key, const Lease& lease,
                        milliseconds duration) {
  // A condition that does not hold may be that of our own writing, whose answer was lost.
  for (int attempt = 0; attempt < kRenewAttempts; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(const std::optional<BucketObject> found, bucket->Get(key));
    if (!found.has_value() || Parsed(found->bytes).owner != lease.owner) return false;
    BANQUET_ASSIGN_OR_RETURN(
        const PutOutcome outcome,
        bucket->Put(key, ContentOf(lease, duration),
                    PutCondition{.is_absent = false, .version = found->version}));
    if (outcome == PutOutcome::kWritten) return true;
  }
  return RemoteError({.retryable = true}, "The lease is written by others all the time: {}", key);
}

Status DropLease(Bucket* bucket, const std::string& key, const Lease& lease) {
  // Nobody takes a lease over that was renewed this moment: what is deleted is ours.
  BANQUET_ASSIGN_OR_RETURN(const bool ours, RenewLease(bucket, key, lease, kDropDuration));
  return ours ? bucket->Delete(key) : Status::OK();
}

}  // namespace banquet::bucket_registry
