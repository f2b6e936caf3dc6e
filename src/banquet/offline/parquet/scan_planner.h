#pragma once
// From the files of a source to a scan: columns found and typed, row groups kept.

#include "banquet/base/status.h"
#include "banquet/offline/offline_store.h"
#include "banquet/offline/parquet/source_stores.h"

namespace banquet::parquet_store {

// Lists the source's files, reads their footers and opens the request on them.
Result<Scan> PlanScan(const ScanRequest& request, SourceStores* stores);

}  // namespace banquet::parquet_store
