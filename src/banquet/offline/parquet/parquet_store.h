#pragma once
// File sources: Parquet files, folders of them, globs, Hive-partitioned folders.

#include <memory>

#include "banquet/model/source_reach.h"
#include "banquet/offline/offline_store.h"

namespace banquet::parquet_store {

// `block` is the offline_store block (types file, dask, duckdb). The store is safe to share between
// threads.
//
// What a source may name (source_files.h has the rules): a file of any name; a folder, read
// recursively; a glob; a folder of key=value folders, whose keys become columns and prune by the
// source's date_partition_column. Files come in the order of their paths.
//
// What a scan gives (column_types.h, time_values.h): the requested columns in plain Arrow types
// (dictionaries, views and extension types are decoded), one type per column over all files, and
// the reserved time columns. A column that a file stores wins over a folder of that name.
//
// What is not read: row groups whose event times, by the column's statistics, all lie outside the
// window. INT96 and text have no usable statistics. Null event times inside a pruned row group are
// counted as pruned; a row group of nothing but nulls is read, so that they are counted as nulls.
Result<std::unique_ptr<OfflineStore>> MakeStore(const ConfigNode& block,
                                                const OfflineStoreContext& context);

// Which data sources it reads.
SourceReach Reach();

}  // namespace banquet::parquet_store
