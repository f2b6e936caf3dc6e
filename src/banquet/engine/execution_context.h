#pragma once
// What the tasks of one run need.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/config/repo_config.h"
#include "banquet/exec/store_lanes.h"
#include "banquet/model/registry_contents.h"
#include "banquet/offline/offline_store.h"
#include "banquet/registry/registry.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// Everything is borrowed and outlives the engine's jobs, save the registry's contents, which are
// shared.
struct ExecutionContext {
  const RepoConfig* config = nullptr;
  Registry* registry = nullptr;
  std::shared_ptr<const RegistryContents> contents;
  OfflineStore* offline_store = nullptr;
  // Where rows are kept between source and stores, and what reads them there; nullptr: they are
  // not.
  StagingArea* staging = nullptr;
  OfflineStore* staged_store = nullptr;
  // How many rows are to be written, where that is known; another number is a data error, and
  // nothing is recorded.
  std::optional<int64_t> expected_winners;
  std::vector<StoreLanes*> online_stores;
  int engines = 1;  // Work beside each other, and share the run's memory and groups.
  Clock* clock = nullptr;
  std::stop_token stop;

  // The order that the stores ask for: by key if any of them does.
  WriteOrder write_order() const;
  int lanes() const;  // Of the store that has most; 1 where there is none.
};

}  // namespace banquet
