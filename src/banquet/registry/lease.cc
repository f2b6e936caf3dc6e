#include "banquet/registry/lease.h"

#include <algorithm>

#include "banquet/base/log.h"
#include "banquet/registry/lock_wait.h"
#include "banquet/registry/random_uuid.h"

namespace banquet {
namespace {

constexpr std::chrono::milliseconds kPoll(500);
constexpr int kRenewalsPerLease = 3;  // So that two may fail.

class LeasedViewLock final : public ViewLock {
 public:
  LeasedViewLock(std::shared_ptr<LeasePlace> place, std::shared_ptr<OwnLeases> own, Lease lease)
      : place_(std::move(place)), own_(std::move(own)), lease_(std::move(lease)) {
    own_->Add(lease_);
  }
  ~LeasedViewLock() override {
    own_->Remove(lease_);
    const Status status = place_->Drop(lease_);
    if (!status.ok()) {
      LogWarning("The lease of view {} could not be released and runs out by itself: {}",
                 lease_.view, MessageOf(status));
    }
  }

  std::chrono::milliseconds renew_every() const override {
    return place_->duration() / kRenewalsPerLease;
  }
  Status Renew(const std::stop_token& stop) override {
    const Result<bool> ours = place_->Renew(lease_, stop);
    if (!ours.ok()) return Annotate(ours.status(), "The lease of view " + lease_.view);
    return *ours ? Status::OK() : LostLease(lease_.view);
  }

 private:
  const std::shared_ptr<LeasePlace> place_;
  const std::shared_ptr<OwnLeases> own_;
  const Lease lease_;
};

}  // namespace

void OwnLeases::Add(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  leases_[ViewKey(lease.project, lease.view)] = lease;
}

void OwnLeases::Remove(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  leases_.erase(ViewKey(lease.project, lease.view));
}

std::optional<Lease> OwnLeases::Find(const MaterializationRecord& record) const {
  const std::lock_guard lock(mutex_);
  const auto found = leases_.find(ViewKey(record.project, record.view));
  if (found == leases_.end()) return std::nullopt;
  return found->second;
}

Result<std::unique_ptr<ViewLock>> LockByLease(std::shared_ptr<LeasePlace> place,
                                              std::shared_ptr<OwnLeases> own,
                                              const std::string& project, const std::string& view,
                                              std::chrono::milliseconds wait, Clock& clock,
                                              std::stop_token stop) {
  const Lease lease{.project = project,
                    .view = view,
                    .owner = RandomUuid(),
                    .holder = NoteOfThisProcess(clock.NowUs())};
  return WaitForLock(
      {.view = view, .longest = wait, .poll = kPoll, .stop = stop}, clock,
      [&]() -> Result<LockTry> {
        BANQUET_ASSIGN_OR_RETURN(const LeaseTry attempt, place->TryTake(lease, stop));
        if (attempt.taken) {
          return LockTry{.lock = std::make_unique<LeasedViewLock>(place, own, lease),
                         .holder_note = {}};
        }
        return LockTry{
            .lock = nullptr,
            .holder_note = fmt::format("{} (ends by itself in {} s unless it is renewed)",
                                       attempt.holder, attempt.left.count() / 1000)};
      });
}

std::chrono::milliseconds LeaseTimeout(std::chrono::milliseconds configured,
                                       std::chrono::milliseconds duration) {
  constexpr int kAnswersPerLease = 6;
  return std::min(configured, duration / kAnswersPerLease);
}

Status LostLease(const std::string& view) {
  return HeldError(
      "The lease of view {} ran out and another run took it; nothing is recorded: run again once "
      "that one has ended, and raise banquet.lease_duration if this happens often",
      view);
}

}  // namespace banquet
