#pragma once
// The sqlite online store (docs/formats/sqlite.md).

#include "banquet/online/online_store.h"

namespace banquet::sqlite {

// `block` is the online_store block as written; unknown keys are user errors.
Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context);
std::span<const OptionSpec> StoreOptions();

}  // namespace banquet::sqlite
