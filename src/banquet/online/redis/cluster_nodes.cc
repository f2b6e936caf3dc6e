#include "banquet/online/redis/cluster_nodes.h"

#include <utility>

namespace banquet::redis {

RedisNode* ClusterView::NodeOf(std::string_view key) const {
  const uint16_t owner = slots.owners[SlotOf(key)];
  return owner == SlotMap::kNobody ? nullptr : nodes[owner];
}

Result<std::shared_ptr<const ClusterView>> ClusterNodes::View() {
  const std::lock_guard lock(mutex_);
  if (view_ != nullptr && !is_outdated_) return view_;
  return Ask();
}

void ClusterNodes::Outdate(const std::shared_ptr<const ClusterView>& known) {
  const std::lock_guard lock(mutex_);
  is_outdated_ = is_outdated_ || view_ == known;
}

std::vector<RedisNode*> ClusterNodes::Met() {
  const std::lock_guard lock(mutex_);
  std::vector<RedisNode*> nodes;
  for (const auto& [name, node] : met_) nodes.push_back(node.get());
  return nodes;
}

// The masters known last come first, then the nodes of connection_string.
Result<std::shared_ptr<const ClusterView>> ClusterNodes::Ask() {
  std::vector<ServerAddress> candidates;
  if (view_ != nullptr) candidates = view_->slots.masters;
  candidates.insert(candidates.end(), start_.begin(), start_.end());
  Status failure;
  for (const ServerAddress& candidate : candidates) {
    ConnectionSettings connection_settings = settings_.connection;
    connection_settings.address = candidate;
    const auto connection = Connection::Open(std::move(connection_settings));
    Result<SlotMap> slots = connection.ok() ? AskForSlots(connection->get(), candidate)
                                            : Result<SlotMap>(connection.status());
    if (!slots.ok()) {
      failure = slots.status();
      if (FaultOf(failure) != Fault::kRemote) return failure;
      continue;
    }
    auto view = std::make_shared<ClusterView>();
    view->slots = *std::move(slots);
    for (const ServerAddress& master : view->slots.masters) {
      auto& node = met_[fmt::format("{}:{}", master.host, master.port)];
      if (node == nullptr) {
        NodeSettings settings = settings_;
        settings.connection.address = master;
        node = std::make_unique<RedisNode>(std::move(settings));
      }
      view->nodes.push_back(node.get());
    }
    view_ = std::move(view);
    is_outdated_ = false;
    return view_;
  }
  return failure;
}

}  // namespace banquet::redis
