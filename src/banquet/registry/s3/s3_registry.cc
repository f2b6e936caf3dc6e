#include "banquet/registry/s3/s3_registry.h"

#include <climits>
#include <utility>

#include "banquet/client/aws/s3_bucket.h"
#include "banquet/registry/decode_registry.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/random_uuid.h"
#include "banquet/registry/s3/bucket_lease.h"
#include "feast/core/Registry.pb.h"

namespace banquet::s3_registry {
namespace {

using aws::BucketObject;
using aws::PutOutcome;

// How often to begin again because others changed the object between our read and our write.
constexpr int kRecordAttempts = 10;
constexpr std::chrono::milliseconds kRecordWait(100);
constexpr char kDefaultRegion[] = "us-east-1";

// The bucket, and the leases in it.
class Bucket final : public LeasePlace {
 public:
  Bucket(std::string name, std::string key, const S3RegistrySettings& settings, Clock& clock)
      : key_(std::move(key)),
        chain_({.region = settings.region,
                .connect_timeout = settings.connect_timeout,
                .stall_timeout = settings.stall_timeout,
                .clock = &clock}),
        bucket_{.bucket = std::move(name),
                .endpoint = settings.endpoint,
                .region = settings.region.empty() ? kDefaultRegion : settings.region,
                .connect_timeout = settings.connect_timeout,
                .stall_timeout = settings.stall_timeout,
                .clock = &clock,
                .chain = &chain_},
        lease_duration_(settings.lease_duration) {}

  // A connection of its own, since each is one thread's.
  Result<std::unique_ptr<aws::S3Bucket>> Open() const { return aws::S3Bucket::Open(bucket_); }
  const std::string& key() const { return key_; }
  std::string Shown() const { return fmt::format("s3://{}/{}", bucket_.bucket, key_); }
  Result<bool> Owns(aws::S3Bucket* bucket, const Lease& lease) const {
    return OwnsLease(bucket, KeyOf(lease), lease);
  }

  std::chrono::milliseconds duration() const override { return lease_duration_; }
  Result<LeaseTry> TryTake(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, Open());
    return TryTakeLease(bucket.get(), KeyOf(lease), lease, lease_duration_);
  }
  Result<bool> Renew(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, Open());
    return RenewLease(bucket.get(), KeyOf(lease), lease, lease_duration_);
  }
  Status Drop(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, Open());
    return DropLease(bucket.get(), KeyOf(lease), lease);
  }

 private:
  std::string KeyOf(const Lease& lease) const { return LeaseKey(key_, lease.project, lease.view); }

  const std::string key_;
  mutable aws::CredentialChain chain_;
  const aws::BucketSettings bucket_;
  const std::chrono::milliseconds lease_duration_;
};

struct RecordOutcome {
  bool is_done = false;  // Else everything is to be done again.
  std::optional<std::string> warning;
};

class S3Registry final : public Registry {
 public:
  S3Registry(std::shared_ptr<Bucket> bucket, Clock& clock)
      : bucket_(std::move(bucket)), clock_(clock) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, bucket_->Open());
    BANQUET_ASSIGN_OR_RETURN(const BucketObject object, Get(session.get()));
    feast::core::Registry message;
    if (object.bytes.size() > INT_MAX || !message.ParseFromString(object.bytes)) {
      return DataError("Registry is damaged or no Feast registry: {} ({} bytes do not parse)",
                       bucket_->Shown(), object.bytes.size());
    }
    Result<RegistryContents> contents = DecodeRegistry(message);
    if (!contents.ok()) return Annotate(contents.status(), "Registry " + bucket_->Shown());
    return std::make_shared<const RegistryContents>(std::move(contents).ValueUnsafe());
  }

  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override;

  // What may be written shows in the write alone.
  Status CheckWritable() override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, bucket_->Open());
    return Get(session.get()).status();
  }

  Result<std::unique_ptr<ViewLock>> LockView(const std::string& project, const std::string& view,
                                             std::chrono::milliseconds wait,
                                             std::stop_token stop) override {
    return LockByLease(bucket_, leases_, project, view, wait, clock_, std::move(stop));
  }

 private:
  Result<BucketObject> Get(aws::S3Bucket* session) const {
    BANQUET_ASSIGN_OR_RETURN(std::optional<BucketObject> object, session->Get(bucket_->key()));
    if (object.has_value() && !object->bytes.empty()) return *std::move(object);
    return UserError(
        "Registry does not exist or is empty: {}; run `feast apply` in the feature repository, or "
        "correct registry: in feature_store.yaml",
        bucket_->Shown());
  }
  Result<RecordOutcome> TryRecord(const MaterializationRecord& record, int64_t now_us);

  const std::shared_ptr<Bucket> bucket_;
  const std::shared_ptr<OwnLeases> leases_ = std::make_shared<OwnLeases>();
  Clock& clock_;
};

Result<RecordOutcome> S3Registry::TryRecord(const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const auto session, bucket_->Open());
  BANQUET_ASSIGN_OR_RETURN(const BucketObject object, Get(session.get()));
  // The answer to an earlier attempt may have been lost.
  BANQUET_ASSIGN_OR_RETURN(const bool done,
                           RegistryHoldsMaterialization(object.bytes, record, now_us));
  if (done) return RecordOutcome{.is_done = true, .warning = {}};
  BANQUET_ASSIGN_OR_RETURN(
      const std::string spliced,
      SpliceMaterialization(object.bytes, record, {.now_us = now_us, .version_id = RandomUuid()}));
  if (const std::optional<Lease> lease = leases_->Find(record)) {
    BANQUET_ASSIGN_OR_RETURN(const bool ours, bucket_->Owns(session.get(), *lease));
    if (!ours) return LostLease(record.view);
  }
  BANQUET_ASSIGN_OR_RETURN(
      const PutOutcome outcome,
      session->Put(bucket_->key(), spliced, {.is_absent = false, .etag = object.etag}));
  if (outcome == PutOutcome::kWritten) return RecordOutcome{.is_done = true, .warning = {}};
  if (outcome == PutOutcome::kChanged) return RecordOutcome{};
  BANQUET_RETURN_NOT_OK(session->Put(bucket_->key(), spliced, {}));
  return RecordOutcome{
      .is_done = true,
      .warning = fmt::format("The registry was written without a condition, which its service does "
                             "not know: {}; what another wrote at that moment may be lost",
                             bucket_->Shown())};
}

Result<std::optional<std::string>> S3Registry::RecordMaterialization(
    const MaterializationRecord& record) {
  const int64_t now_us = clock_.NowUs();
  Status status;
  for (int attempt = 0; attempt < kRecordAttempts; ++attempt) {
    if (attempt > 0) clock_.Wait(kRecordWait * attempt, {});
    Result<RecordOutcome> outcome = TryRecord(record, now_us);
    if (outcome.ok() && outcome->is_done) return std::move(outcome->warning);
    status = outcome.ok() ? RemoteError({}, "The registry is changed by others all the time: {}",
                                        bucket_->Shown())
                          : outcome.status();
    if (!outcome.ok() && !IsRetryable(status)) break;
  }
  return Annotate(status, "Recording view " + record.view);
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeS3Registry(const S3RegistrySettings& settings, Clock& clock) {
  const size_t begin = settings.uri.find("://") + 3;
  const size_t slash = settings.uri.find('/', begin);
  if (slash == begin || slash == std::string::npos || slash + 1 == settings.uri.size())
    return UserError("registry: name it as s3://bucket/key: {}", settings.uri);
  return std::make_unique<S3Registry>(
      std::make_shared<Bucket>(settings.uri.substr(begin, slash - begin),
                               settings.uri.substr(slash + 1), settings, clock),
      clock);
}

}  // namespace banquet::s3_registry
