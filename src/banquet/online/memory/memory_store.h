#pragma once
// The memory online store: rows that live and die with the process, for tests and trials.

#include "banquet/online/online_store.h"

namespace banquet::memory {

// `block` is the online_store block as written; unknown keys are user errors.
Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context);
std::span<const OptionSpec> StoreOptions();

}  // namespace banquet::memory
