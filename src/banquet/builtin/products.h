#pragma once
// The composition root: the only code that names products.

#include <memory>
#include <span>
#include <stop_token>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/engine/compute_engine.h"
#include "banquet/offline/offline_store.h"
#include "banquet/online/online_store.h"

namespace banquet {

// Every online store built in; generated from the lines in online/CMakeLists.txt.
std::span<const OnlineStoreProduct> OnlineStoreProducts();

// What the configuration names. A type that this version lacks is a user error that lists those it
// has.
Result<std::unique_ptr<OnlineStore>> MakeOnlineStore(const RepoConfig& config, std::stop_token stop,
                                                     Clock& clock);
Result<std::unique_ptr<OfflineStore>> MakeOfflineStore(const RepoConfig& config);
Result<std::unique_ptr<ComputeEngine>> MakeComputeEngine(const RepoConfig& config);

}  // namespace banquet
