#include "banquet/registry/s3/s3_registry.h"

#include <climits>
#include <utility>

#include "banquet/client/aws/s3_bucket.h"
#include "banquet/registry/decode_registry.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/random_uuid.h"
#include "banquet/registry/record_patiently.h"
#include "banquet/registry/s3/bucket_lease.h"
#include "feast/core/Registry.pb.h"

namespace banquet::s3_registry {
namespace {

using aws::BucketObject;
using aws::PutOutcome;

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
  Result<std::unique_ptr<aws::S3Bucket>> OpenForLeases(const std::stop_token& stop) const {
    aws::BucketSettings settings = bucket_;
    settings.connect_timeout = LeaseTimeout(settings.connect_timeout, lease_duration_);
    settings.stall_timeout = LeaseTimeout(settings.stall_timeout, lease_duration_);
    settings.stop = stop;
    return aws::S3Bucket::Open(settings);
  }

  std::chrono::milliseconds duration() const override { return lease_duration_; }
  Result<LeaseTry> TryTake(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases(stop));
    return TryTakeLease(bucket.get(), KeyOf(lease), lease, lease_duration_);
  }
  Result<bool> Renew(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases(stop));
    return RenewLease(bucket.get(), KeyOf(lease), lease, lease_duration_);
  }
  Status Drop(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases({}));
    return DropLease(bucket.get(), KeyOf(lease), lease);
  }

 private:
  std::string KeyOf(const Lease& lease) const { return LeaseKey(key_, lease.project, lease.view); }

  const std::string key_;
  mutable aws::CredentialChain chain_;
  const aws::BucketSettings bucket_;
  const std::chrono::milliseconds lease_duration_;
};

class S3Registry final : public Registry {
 public:
  S3Registry(std::shared_ptr<Bucket> bucket, std::chrono::milliseconds retry_timeout, Clock& clock)
      : bucket_(std::move(bucket)), retry_timeout_(retry_timeout), clock_(clock) {}

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
  Status TryRecord(const MaterializationRecord& record, int64_t now_us);

  const std::shared_ptr<Bucket> bucket_;
  const std::chrono::milliseconds retry_timeout_;
  const std::shared_ptr<OwnLeases> leases_ = std::make_shared<OwnLeases>();
  Clock& clock_;
};

Status S3Registry::TryRecord(const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const auto session, bucket_->Open());
  BANQUET_ASSIGN_OR_RETURN(const BucketObject object, Get(session.get()));
  // The answer to an earlier attempt may have been lost.
  BANQUET_ASSIGN_OR_RETURN(const bool done,
                           RegistryHoldsMaterialization(object.bytes, record, now_us));
  if (done) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(
      const std::string spliced,
      SpliceMaterialization(object.bytes, record, {.now_us = now_us, .version_id = RandomUuid()}));
  // Renewed, not only looked at: nobody takes it over before the write is done.
  if (const std::optional<Lease> lease = leases_->Find(record)) {
    BANQUET_ASSIGN_OR_RETURN(const bool ours, bucket_->Renew(*lease, {}));
    if (!ours) return LostLease(record.view);
  }
  BANQUET_ASSIGN_OR_RETURN(
      const PutOutcome outcome,
      session->Put(bucket_->key(), spliced, {.is_absent = false, .etag = object.etag}));
  if (outcome == PutOutcome::kWritten) return Status::OK();
  return RemoteError({.retryable = true}, "The registry is changed by others all the time: {}",
                     bucket_->Shown());
}

Result<std::optional<std::string>> S3Registry::RecordMaterialization(
    const MaterializationRecord& record) {
  const int64_t now_us = clock_.NowUs();
  BANQUET_RETURN_NOT_OK(
      RecordPatiently(record, retry_timeout_, clock_, [&] { return TryRecord(record, now_us); }));
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeS3Registry(const S3RegistrySettings& settings, Clock& clock) {
  const size_t begin = settings.uri.find("://") + 3;
  const size_t slash = settings.uri.find('/', begin);
  if (slash == begin || slash == std::string::npos || slash + 1 == settings.uri.size())
    return UserError("registry: name it as s3://bucket/key: {}", settings.uri);
  const size_t host = settings.endpoint.find("://");
  const bool is_plain = host != std::string::npos &&
                        settings.endpoint.find_first_of("/@?", host + 3) == std::string::npos;
  if (!settings.endpoint.empty() && !is_plain) {
    return UserError(
        "The endpoint of S3 must be http://host:port or https://host:port, without path and user "
        "(FEAST_S3_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)");
  }
  return std::make_unique<S3Registry>(
      std::make_shared<Bucket>(settings.uri.substr(begin, slash - begin),
                               settings.uri.substr(slash + 1), settings, clock),
      settings.retry_timeout, clock);
}

}  // namespace banquet::s3_registry
