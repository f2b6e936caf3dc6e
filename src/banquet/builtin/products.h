#pragma once
// The composition root: the only code that names products.

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/engine/compute_engine.h"
#include "banquet/engine/engine_set.h"
#include "banquet/exec/store_lanes.h"
#include "banquet/model/source_reach.h"
#include "banquet/offline/offline_store.h"
#include "banquet/online/online_store.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// Every online store built in; generated from the lines in online/CMakeLists.txt.
std::span<const OnlineStoreProduct> OnlineStoreProducts();

// The stores of a run and their lanes: online_store, then banquet.online_stores in file order.
struct OnlineStores {
  std::vector<std::unique_ptr<OnlineStore>> stores;
  std::vector<std::unique_ptr<StoreLanes>> lanes;  // Beside stores.
  std::vector<StoreLanes*> All() const;
};

// A user error where the offline store or the online store that Feast knows is of a type that this
// version lacks: another program may have it.
Status CheckProducts(const RepoConfig& config);

// What the configuration names. A type that this version lacks is a user error that lists those it
// has.
Result<OnlineStores> MakeOnlineStores(const RepoConfig& config, const std::stop_token& stop,
                                      Clock& clock);
// online_store alone.
Result<std::unique_ptr<OnlineStore>> MakeOnlineStore(const RepoConfig& config, std::stop_token stop,
                                                     Clock& clock);
Result<std::unique_ptr<OfflineStore>> MakeOfflineStore(const RepoConfig& config,
                                                       std::stop_token stop);
// Which data sources that store reads; where its type is none that this version has: files.
SourceReach SourceReachOf(const RepoConfig& config);
// What reads staged rows.
Result<std::unique_ptr<OfflineStore>> MakeStagedStore(const RepoConfig& config);
// The object store that staged rows are kept in, with the identity of the run.
std::shared_ptr<objects::ObjectStore> MakeStagingObjects(const RepoConfig& config,
                                                         const std::stop_token& stop, Clock& clock);
// nullptr: banquet.staging_location names none. A location that is neither a folder nor an object
// store's is a user error.
Result<std::unique_ptr<StagingArea>> MakeStagingArea(const RepoConfig& config,
                                                     const std::stop_token& stop, Clock& clock);
// batch_engine, and those of banquet.views.<view>.batch_engine; views of equal blocks share one.
Result<std::unique_ptr<EngineSet>> MakeEngines(const RepoConfig& config,
                                               const std::stop_token& stop, Clock& clock);
// That of this process, whatever the configuration names: for what only looks.
std::unique_ptr<EngineSet> MakeLocalEngines(const RepoConfig& config);
// The same for rows that are staged.
std::unique_ptr<EngineSet> MakeStagedEngines();

}  // namespace banquet
