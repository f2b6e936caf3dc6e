#include "banquet/engine/lock_keeper.h"

#include <atomic>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;

// Counts its renewals; from the `fails_at`-th on they end with `failure`.
class CountedLease final : public ViewLock {
 public:
  CountedLease(milliseconds every, int fails_at, Status failure)
      : every_(every), fails_at_(fails_at), failure_(std::move(failure)) {}
  milliseconds renew_every() const override { return every_; }
  Status Renew(const std::stop_token&) override {
    return ++renewals_ >= fails_at_ ? failure_ : Status::OK();
  }
  int renewals() const { return renewals_; }

 private:
  const milliseconds every_;
  const int fails_at_;
  const Status failure_;
  std::atomic<int> renewals_ = 0;
};

// Waits up to ten seconds.
void AwaitRenewals(const CountedLease& lease, int renewals) {
  for (int i = 0; i < 10'000 && lease.renewals() < renewals; ++i)
    SystemClock().Wait(milliseconds(1), {});
  EXPECT_GE(lease.renewals(), renewals);
}

class LockKeeperTest : public ::testing::Test {
 protected:
  CountedLease* Add(milliseconds every, int fails_at = 1 << 30, Status failure = {}) {
    leases_.push_back(std::make_unique<CountedLease>(every, fails_at, std::move(failure)));
    keeper_->Keep(leases_.back().get());
    return leases_.back().get();
  }

  std::vector<std::unique_ptr<CountedLease>> leases_;
  std::unique_ptr<LockKeeper> keeper_ = std::make_unique<LockKeeper>(SystemClock());
};

TEST_F(LockKeeperTest, RenewsEveryLeaseUntilItsEnd) {
  const CountedLease* one = Add(milliseconds(2));
  AwaitRenewals(*one, 2);
  const CountedLease* later = Add(milliseconds(5));
  AwaitRenewals(*one, 4);
  AwaitRenewals(*later, 2);
  keeper_.reset();
  const int renewed = one->renewals();
  SystemClock().Wait(milliseconds(30), {});
  EXPECT_EQ(one->renewals(), renewed);
}

TEST_F(LockKeeperTest, EndsAtOnceThoughARenewalIsFarAway) {
  Add(std::chrono::hours(1));
  const auto begin = std::chrono::steady_clock::now();
  keeper_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

// A renewal that hangs is given the stop, so that the end of a run does not wait for it.
TEST_F(LockKeeperTest, ARenewalIsToldOfTheEnd) {
  class HangingLease final : public ViewLock {
   public:
    milliseconds renew_every() const override { return milliseconds(1); }
    Status Renew(const std::stop_token& stop) override {
      hangs = true;
      SystemClock().Wait(std::chrono::hours(1), stop);
      return RemoteError({}, "stopped");
    }
    std::atomic<bool> hangs = false;
  };
  HangingLease lease;
  keeper_->Keep(&lease);
  while (!lease.hangs) SystemClock().Wait(milliseconds(1), {});
  keeper_.reset();
}

TEST_F(LockKeeperTest, ARenewalThatFailsIsTriedAgainSoonAndALostLeaseIsNot) {
  const CountedLease* failing = Add(milliseconds(800), 1, RemoteError({.retryable = true}, "down"));
  const CountedLease* lost = Add(milliseconds(2), 1, HeldError("lost"));
  const auto begin = std::chrono::steady_clock::now();
  AwaitRenewals(*failing, 3);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2'000));
  EXPECT_EQ(lost->renewals(), 1);
}

TEST_F(LockKeeperTest, LocksThatDoNotEndAreLeftAlone) {
  const CountedLease* held = Add(milliseconds(0));
  const CountedLease* lease = Add(milliseconds(1));
  AwaitRenewals(*lease, 5);
  EXPECT_EQ(held->renewals(), 0);
}

}  // namespace
}  // namespace banquet
