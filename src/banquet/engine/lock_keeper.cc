#include "banquet/engine/lock_keeper.h"

#include <algorithm>
#include <chrono>

#include "banquet/base/log.h"

namespace banquet {
namespace {

void KeepRenewing(std::vector<ViewLock*> leases, Clock& clock, const std::stop_token& stop) {
  while (!leases.empty()) {
    const auto soonest = std::ranges::min_element(leases, {}, &ViewLock::renew_every);
    if (!clock.Wait((*soonest)->renew_every(), stop)) return;
    std::erase_if(leases, [](ViewLock* lease) {
      const Status status = lease->Renew();
      if (!status.ok()) LogWarning("{}", MessageOf(status));
      return !status.ok() && FaultOf(status) == Fault::kHeld;
    });
  }
}

}  // namespace

LockKeeper::LockKeeper(const std::vector<std::unique_ptr<ViewLock>>& locks, Clock& clock) {
  std::vector<ViewLock*> leases;
  for (const auto& lock : locks) {
    if (lock->renew_every().count() > 0) leases.push_back(lock.get());
  }
  if (leases.empty()) return;
  thread_ = std::jthread([leases = std::move(leases), &clock](const std::stop_token& stop) {
    KeepRenewing(leases, clock, stop);
  });
}

}  // namespace banquet
