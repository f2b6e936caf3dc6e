#include "banquet/engine/lock_keeper.h"

#include <algorithm>

#include "banquet/base/log.h"

namespace banquet {
namespace {

// Of the time between renewals: how exactly they come, and when a failed one is tried again.
constexpr int kTicks = 8;

std::chrono::milliseconds TickOf(const ViewLock& lock) {
  return std::max(lock.renew_every() / kTicks, std::chrono::milliseconds(1));
}

}  // namespace

void LockKeeper::Keep(ViewLock* lock) {
  if (lock->renew_every().count() <= 0) return;
  const std::lock_guard guard(mutex_);
  kept_.push_back({.lock = lock, .due = clock_.Steady() + lock->renew_every()});
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void LockKeeper::Run(const std::stop_token& stop) {
  while (clock_.Wait(Tick(), stop)) {
    for (ViewLock* lock = TakeDue(); lock != nullptr && !stop.stop_requested(); lock = TakeDue())
      Renew(lock, stop);
  }
}

std::chrono::milliseconds LockKeeper::Tick() {
  constexpr std::chrono::milliseconds kIdle(1'000);
  const std::lock_guard guard(mutex_);
  std::chrono::milliseconds tick = kIdle;
  for (const Kept& kept : kept_) tick = std::min(tick, TickOf(*kept.lock));
  return tick;
}

// Its next renewal counts from the beginning of this one, however long it takes.
ViewLock* LockKeeper::TakeDue() {
  const std::lock_guard guard(mutex_);
  const auto now = clock_.Steady();
  const auto due = std::ranges::find_if(kept_, [&](const Kept& kept) { return kept.due <= now; });
  if (due == kept_.end()) return nullptr;
  due->due = now + due->lock->renew_every();
  return due->lock;
}

void LockKeeper::Renew(ViewLock* lock, const std::stop_token& stop) {
  const Status status = lock->Renew(stop);
  if (status.ok() || stop.stop_requested()) return;
  LogWarning("{}", MessageOf(status));
  const std::lock_guard guard(mutex_);
  const auto kept = std::ranges::find(kept_, lock, &Kept::lock);
  if (FaultOf(status) == Fault::kHeld) {
    kept_.erase(kept);
  } else {
    kept->due = clock_.Steady() + TickOf(*lock);
  }
}

}  // namespace banquet
