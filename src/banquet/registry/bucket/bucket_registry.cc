#include "banquet/registry/bucket/bucket_registry.h"

#include <climits>
#include <utility>

#include "banquet/registry/bucket/bucket_lease.h"
#include "banquet/registry/decode_registry.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/random_uuid.h"
#include "banquet/registry/record_patiently.h"
#include "feast/core/Registry.pb.h"

namespace banquet::bucket_registry {
namespace {

// Where the object is, and the leases beside it.
class Place final : public LeasePlace {
 public:
  Place(std::string bucket, std::string key, const BucketRegistrySettings& settings)
      : bucket_(std::move(bucket)), key_(std::move(key)), settings_(settings) {}

  // A connection of its own, since each is one thread's.
  Result<std::unique_ptr<Bucket>> Open() const {
    return settings_.open(bucket_, {.connect_timeout = settings_.connect_timeout,
                                    .stall_timeout = settings_.stall_timeout});
  }
  const std::string& key() const { return key_; }
  const std::string& Shown() const { return settings_.uri; }

  std::chrono::milliseconds duration() const override { return settings_.lease_duration; }
  Result<LeaseTry> TryTake(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases(stop));
    return TryTakeLease(bucket.get(), KeyOf(lease), lease, duration());
  }
  Result<bool> Renew(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases(stop));
    return RenewLease(bucket.get(), KeyOf(lease), lease, duration());
  }
  Status Drop(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto bucket, OpenForLeases({}));
    return DropLease(bucket.get(), KeyOf(lease), lease);
  }

 private:
  std::string KeyOf(const Lease& lease) const { return LeaseKey(key_, lease.project, lease.view); }
  Result<std::unique_ptr<Bucket>> OpenForLeases(const std::stop_token& stop) const {
    return settings_.open(bucket_,
                          {.connect_timeout = LeaseTimeout(settings_.connect_timeout, duration()),
                           .stall_timeout = LeaseTimeout(settings_.stall_timeout, duration()),
                           .stop = stop});
  }

  const std::string bucket_;
  const std::string key_;
  const BucketRegistrySettings settings_;
};

class BucketRegistry final : public Registry {
 public:
  BucketRegistry(std::shared_ptr<Place> place, std::chrono::milliseconds retry_timeout,
                 Clock& clock)
      : place_(std::move(place)), retry_timeout_(retry_timeout), clock_(clock) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
    BANQUET_ASSIGN_OR_RETURN(const BucketObject object, Get(session.get()));
    feast::core::Registry message;
    if (object.bytes.size() > INT_MAX || !message.ParseFromString(object.bytes)) {
      return DataError("Registry is damaged or no Feast registry: {} ({} bytes do not parse)",
                       place_->Shown(), object.bytes.size());
    }
    Result<RegistryContents> contents = DecodeRegistry(message);
    if (!contents.ok()) return Annotate(contents.status(), "Registry " + place_->Shown());
    return std::make_shared<const RegistryContents>(std::move(contents).ValueUnsafe());
  }

  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override;

  // What may be written shows in the write alone.
  Status CheckWritable() override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
    return Get(session.get()).status();
  }

  Result<std::unique_ptr<ViewLock>> LockView(const std::string& project, const std::string& view,
                                             std::chrono::milliseconds wait,
                                             std::stop_token stop) override {
    return LockByLease(place_, leases_, project, view, wait, clock_, std::move(stop));
  }

 private:
  Result<BucketObject> Get(Bucket* session) const {
    BANQUET_ASSIGN_OR_RETURN(std::optional<BucketObject> object, session->Get(place_->key()));
    if (object.has_value() && !object->bytes.empty()) return *std::move(object);
    return UserError(
        "Registry does not exist or is empty: {}; run `feast apply` in the feature repository, or "
        "correct registry: in feature_store.yaml",
        place_->Shown());
  }
  Status TryRecord(const MaterializationRecord& record, int64_t now_us);

  const std::shared_ptr<Place> place_;
  const std::chrono::milliseconds retry_timeout_;
  const std::shared_ptr<OwnLeases> leases_ = std::make_shared<OwnLeases>();
  Clock& clock_;
};

Status BucketRegistry::TryRecord(const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
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
    BANQUET_ASSIGN_OR_RETURN(const bool ours, place_->Renew(*lease, {}));
    if (!ours) return LostLease(record.view);
  }
  BANQUET_ASSIGN_OR_RETURN(
      const PutOutcome outcome,
      session->Put(place_->key(), spliced, {.is_absent = false, .version = object.version}));
  if (outcome == PutOutcome::kWritten) return Status::OK();
  return RemoteError({.retryable = true}, "The registry is changed by others all the time: {}",
                     place_->Shown());
}

Result<std::optional<std::string>> BucketRegistry::RecordMaterialization(
    const MaterializationRecord& record) {
  const int64_t now_us = clock_.NowUs();
  BANQUET_RETURN_NOT_OK(
      RecordPatiently(record, retry_timeout_, clock_, [&] { return TryRecord(record, now_us); }));
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeBucketRegistry(BucketRegistrySettings settings,
                                                     Clock& clock) {
  const size_t begin = settings.uri.find("://") + 3;
  const size_t slash = settings.uri.find('/', begin);
  if (slash == begin || slash == std::string::npos || slash + 1 == settings.uri.size()) {
    return UserError("registry: name it as {}bucket/key: {}", settings.uri.substr(0, begin),
                     settings.uri);
  }
  return std::make_unique<BucketRegistry>(
      std::make_shared<Place>(settings.uri.substr(begin, slash - begin),
                              settings.uri.substr(slash + 1), settings),
      settings.retry_timeout, clock);
}

}  // namespace banquet::bucket_registry
