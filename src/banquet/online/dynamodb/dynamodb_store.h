#pragma once
// The dynamodb online store (docs/formats/dynamodb.md).

#include "banquet/online/online_store.h"

namespace banquet::dynamodb {

// `block` is the online_store block as written; unknown keys are user errors.
Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context);
std::span<const OptionSpec> StoreOptions();

}  // namespace banquet::dynamodb
