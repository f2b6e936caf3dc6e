#pragma once
// Locks of views that hold between machines: leases, which end by themselves unless they are
// renewed. Where they are kept differs; what they mean does not.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet {

struct Lease {
  std::string project;
  std::string view;
  std::string owner;   // Unique to the one who takes it.
  std::string holder;  // What others are shown of it, on one line.
};

struct LeaseTry {
  bool taken = false;
  std::string holder;                 // Else: who has it, …
  std::chrono::milliseconds left{0};  // … and when it ends, unless it is renewed.
};

// Safe to share between threads. Times are by the clock of the place, not of the machine. No call
// takes much of a lease's duration: LeaseTimeout is the longest that it waits for one answer.
class LeasePlace {
 public:
  virtual ~LeasePlace() = default;
  virtual std::chrono::milliseconds duration() const = 0;
  // Takes the lease of a view that nobody holds, or whose holder has let it run out.
  virtual Result<LeaseTry> TryTake(const Lease& lease, const std::stop_token& stop) = 0;
  // False: another has it.
  virtual Result<bool> Renew(const Lease& lease, const std::stop_token& stop) = 0;
  // Nothing where another has it.
  virtual Status Drop(const Lease& lease) = 0;
};

// The leases that one registry has taken, by view. Safe to share between threads.
class OwnLeases {
 public:
  void Add(const Lease& lease);
  void Remove(const Lease& lease);
  // The one under which `record` is written; nullopt: the view was not locked here.
  std::optional<Lease> Find(const MaterializationRecord& record) const;

 private:
  using ViewKey = std::pair<std::string, std::string>;  // Project and view.
  mutable std::mutex mutex_;
  std::map<ViewKey, Lease> leases_;
};

// Registry::LockView. The lock is to be renewed at a third of its duration and is in `own` while it
// lives.
Result<std::unique_ptr<ViewLock>> LockByLease(std::shared_ptr<LeasePlace> place,
                                              std::shared_ptr<OwnLeases> own,
                                              const std::string& project, const std::string& view,
                                              std::chrono::milliseconds wait, Clock& clock,
                                              std::stop_token stop);

// What of the duration one answer may take, so that renewals can fail and be tried again in time.
std::chrono::milliseconds LeaseTimeout(std::chrono::milliseconds configured,
                                       std::chrono::milliseconds duration);

// The HeldError of a lock that ran out and was taken by another.
Status LostLease(const std::string& view);

}  // namespace banquet
