#pragma once
// Reads what Feast knows and records what was materialized. The only folder, with encode/, that
// sees protobuf.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/model/registry_contents.h"

namespace banquet {

// Held while a view is being materialized; released by its destructor.
class ViewLock {
 public:
  virtual ~ViewLock() = default;
  // Of a lease, which ends by itself: how often it is to be renewed. Zero: it is held until it is
  // released.
  virtual std::chrono::milliseconds renew_every() const { return {}; }
  // One thread at a time. HeldError: another run has taken the view over; nothing more will be
  // recorded for it under this lock.
  virtual Status Renew(const std::stop_token& /*stop*/) { return Status::OK(); }
};

struct MaterializationRecord {
  std::string project;
  std::string view;  // The active view, also when a version of it was materialized.
  TimeWindow window;
};

// Safe to share between threads.
class Registry {
 public:
  virtual ~Registry() = default;
  virtual Result<std::shared_ptr<const RegistryContents>> Read() = 0;
  // Appends the interval, sets last-updated and AVAILABLE_ONLINE (feast-compat 2.6), with a fresh
  // read under our lock. Everything else stays bit for bit; version_id changes. A view that
  // vanished meanwhile is a user error; a view whose lock was lost meanwhile a HeldError. The
  // result is a warning for the user ("written in place, …") or nothing.
  virtual Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) = 0;
  // Whether RecordMaterialization may write; changes nothing.
  virtual Status CheckWritable() = 0;
  // Waits up to `wait` for a view that another run holds; then HeldError naming the holder (pid,
  // host, since when).
  virtual Result<std::unique_ptr<ViewLock>> LockView(const std::string& project,
                                                     const std::string& view,
                                                     std::chrono::milliseconds wait,
                                                     std::stop_token stop) = 0;
};

}  // namespace banquet
