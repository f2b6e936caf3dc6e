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
  Status Renew() override { return ++renewals_ >= fails_at_ ? failure_ : Status::OK(); }
  int renewals() const { return renewals_; }

 private:
  const milliseconds every_;
  const int fails_at_;
  const Status failure_;
  std::atomic<int> renewals_ = 0;
};

class HeldLock final : public ViewLock {};

// Waits up to ten seconds.
void AwaitRenewals(const CountedLease& lease, int renewals) {
  for (int i = 0; i < 10'000 && lease.renewals() < renewals; ++i)
    SystemClock().Wait(milliseconds(1), {});
  EXPECT_GE(lease.renewals(), renewals);
}

class LockKeeperTest : public ::testing::Test {
 protected:
  CountedLease* Add(milliseconds every, int fails_at = 1 << 30, Status failure = {}) {
    auto lease = std::make_unique<CountedLease>(every, fails_at, std::move(failure));
    CountedLease* borrowed = lease.get();
    locks_.push_back(std::move(lease));
    return borrowed;
  }

  std::vector<std::unique_ptr<ViewLock>> locks_;
};

TEST_F(LockKeeperTest, RenewsEveryLeaseUntilItsEnd) {
  locks_.push_back(std::make_unique<HeldLock>());
  const CountedLease* one = Add(milliseconds(2));
  const CountedLease* other = Add(milliseconds(5));
  {
    const LockKeeper keeper(locks_, SystemClock());
    AwaitRenewals(*one, 3);
    AwaitRenewals(*other, 3);
  }
  const int renewed = one->renewals();
  SystemClock().Wait(milliseconds(30), {});
  EXPECT_EQ(one->renewals(), renewed);
}

TEST_F(LockKeeperTest, EndsAtOnceThoughARenewalIsFarAway) {
  Add(std::chrono::hours(1));
  const auto begin = std::chrono::steady_clock::now();
  { const LockKeeper keeper(locks_, SystemClock()); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(LockKeeperTest, ARenewalThatFailsIsTriedAgainAndALostLeaseIsNot) {
  const CountedLease* failing = Add(milliseconds(2), 1, RemoteError({.retryable = true}, "down"));
  const CountedLease* lost = Add(milliseconds(2), 1, HeldError("lost"));
  const LockKeeper keeper(locks_, SystemClock());
  AwaitRenewals(*failing, 5);
  EXPECT_EQ(lost->renewals(), 1);
}

TEST_F(LockKeeperTest, LocksThatDoNotEndNeedNoThread) {
  locks_.push_back(std::make_unique<HeldLock>());
  EXPECT_EQ(locks_[0]->renew_every(), milliseconds(0));
  EXPECT_OK(locks_[0]->Renew());
  ManualClock clock(0);
  { const LockKeeper keeper(locks_, clock); }
  EXPECT_EQ(clock.NowUs(), 0);
}

}  // namespace
}  // namespace banquet
