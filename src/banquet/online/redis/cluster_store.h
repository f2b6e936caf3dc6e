#pragma once
// A Redis cluster as an online store.

#include <memory>
#include <vector>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/redis_node.h"

namespace banquet::redis {

// `start`: the nodes of connection_string, one at least.
std::unique_ptr<OnlineStore> MakeClusterStore(NodeSettings settings,
                                              std::vector<ServerAddress> start);

}  // namespace banquet::redis
