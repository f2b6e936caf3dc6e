#pragma once
// Writes rows to the masters of a cluster, each to the one that holds its key.

#include <memory>
#include <span>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/cluster_nodes.h"

namespace banquet::redis {

// Rows that a node refuses because a key is held by another, or is being moved, are undecided; the
// cluster is then asked anew who holds what. Borrows `nodes`.
Result<std::unique_ptr<OnlineWriter>> MakeClusterWriter(ClusterNodes* nodes,
                                                        std::span<const ViewColumns> views);

}  // namespace banquet::redis
