#pragma once
// Feast's SQL registry: a row per object (feast-compat 2.5), read for one project, in one
// transaction; and the view's row edited in another that waits for whoever is changing it.

#include <chrono>
#include <memory>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet::sql_registry {

struct SqlRegistrySettings {
  std::string url;        // SQLAlchemy's.
  std::string repo_path;  // Where the relative path of an SQLite file begins, as for `feast apply`.
  std::string project;    // Whose objects are read.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds retry_timeout{300'000};  // All attempts at recording one interval.
  std::chrono::milliseconds lease_duration{60'000};  // Of a view's lock that is not renewed.
};

// The database is opened anew by each call, so that no
// connection idles through a run. `clock` must outlive the registry.
//
// A view's lock is a lease (view_leases.h): renewed while it is held, taken over when it was not,
// and looked at once more in the transaction that records. Feast itself knows nothing of it.
Result<std::unique_ptr<Registry>> MakeSqlRegistry(const SqlRegistrySettings& settings,
                                                  Clock& clock);

}  // namespace banquet::sql_registry
