#pragma once
// The masters of a cluster over a run.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/online/redis/cluster_slots.h"
#include "banquet/online/redis/redis_node.h"

namespace banquet::redis {

// A map of slots with the nodes it speaks of.
struct ClusterView {
  SlotMap slots;
  std::vector<RedisNode*> nodes;  // In the order of slots.masters.

  // nullptr: nobody serves the key now.
  RedisNode* NodeOf(std::string_view key) const;
};

// Knows every master that the run has met, and who holds what now. Safe to share between threads.
class ClusterNodes {
 public:
  // `start`: nodes to ask, any of which may be down.
  ClusterNodes(NodeSettings settings, std::vector<ServerAddress> start)
      : settings_(std::move(settings)), start_(std::move(start)) {}

  // What was told last; asks if nobody has been asked yet, or if that is outdated.
  Result<std::shared_ptr<const ClusterView>> View();
  // `known` is true no more: unless somebody has been asked since, the next View asks.
  void Outdate(const std::shared_ptr<const ClusterView>& known);
  // All that the run has met, also those that are masters no more.
  std::vector<RedisNode*> Met();

 private:
  Result<std::shared_ptr<const ClusterView>> Ask();

  const NodeSettings settings_;
  const std::vector<ServerAddress> start_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<RedisNode>> met_;  // By "host:port".
  std::shared_ptr<const ClusterView> view_;
  bool is_outdated_ = false;
};

}  // namespace banquet::redis
