#pragma once
// File sources: Parquet files, folders of them, globs, Hive-partitioned folders.

#include <memory>

#include "banquet/offline/offline_store.h"

namespace banquet::parquet_store {

// `block` is the offline_store block (types file, dask, duckdb).
Result<std::unique_ptr<OfflineStore>> MakeStore(const ConfigNode& block, const OfflineStoreContext& context);

}  // namespace banquet::parquet_store
