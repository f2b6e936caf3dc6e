#include "banquet/online/redis/cluster_store.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "banquet/online/redis/cluster_nodes.h"
#include "banquet/online/redis/cluster_writer.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/view_access.h"

namespace banquet::redis {
namespace {

constexpr int kLanes = 3;         // Masters of a small cluster: each is kept busy by one.
constexpr int kReadAttempts = 5;  // While keys are moved.
constexpr std::chrono::milliseconds kReadAgain{50};

class ClusterStore final : public OnlineStore {
 public:
  ClusterStore(NodeSettings settings, std::vector<ServerAddress> start)
      : description_(fmt::format("redis cluster at {}:{}", start.front().host, start.front().port)),
        stop_(settings.connection.stop),
        nodes_(std::move(settings), std::move(start)) {}

  WriteNeeds needs() const override { return {.lanes = kLanes}; }

  Status Check(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto cluster, nodes_.View());
    for (RedisNode* node : cluster->nodes) BANQUET_RETURN_NOT_OK(node->Connect());
    for (const ViewColumns& view : views) {
      RedisNode* node = cluster->NodeOf(RightsKeyOf(view));
      if (node != nullptr) BANQUET_RETURN_NOT_OK(node->Check(std::span(&view, 1)));
    }
    return Status::OK();
  }

  Status Prepare(std::span<const ViewColumns> /*views*/) override {
    BANQUET_ASSIGN_OR_RETURN(const auto cluster, nodes_.View());
    for (RedisNode* node : cluster->nodes) BANQUET_RETURN_NOT_OK(node->Prepare());
    return Status::OK();
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    return MakeClusterWriter(&nodes_, views);
  }

  Status ConfirmWritten() override {
    for (RedisNode* node : nodes_.Met()) BANQUET_RETURN_NOT_OK(node->Confirm());
    return Status::OK();
  }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    BANQUET_ASSIGN_OR_RETURN(auto cluster, nodes_.View());
    Result<StoredRows> rows = TryRead(*cluster, view, keys);
    for (int attempt = 1; attempt < kReadAttempts && !rows.ok() && IsRetryable(rows.status());
         ++attempt) {
      if (!SystemClock().Wait(kReadAgain * attempt, stop_)) return CancelledError();
      nodes_.Outdate(cluster);
      BANQUET_ASSIGN_OR_RETURN(cluster, nodes_.View());
      rows = TryRead(*cluster, view, keys);
    }
    return rows;
  }

  Status Remove(const ViewColumns& view) override {
    BANQUET_ASSIGN_OR_RETURN(const auto cluster, nodes_.View());
    for (RedisNode* node : cluster->nodes) {
      BANQUET_ASSIGN_OR_RETURN(const auto connection, node->Connect());
      BANQUET_RETURN_NOT_OK(RemoveRows(connection.get(), view));
    }
    return Status::OK();
  }

  std::string_view type() const override { return "redis"; }
  std::string Describe() const override { return description_; }

 private:
  Result<StoredRows> TryRead(const ClusterView& cluster, const ViewColumns& view,
                             std::span<const std::string> keys) {
    struct Portion {
      std::vector<std::string> keys;
      std::vector<size_t> places;
    };
    std::map<RedisNode*, Portion> portions;
    for (size_t i = 0; i < keys.size(); ++i) {
      RedisNode* node = cluster.NodeOf(keys[i] + view.project);
      if (node == nullptr) {
        return RemoteError({.retryable = true}, "{}: nobody serves the slot of a key", Describe());
      }
      portions[node].keys.push_back(keys[i]);
      portions[node].places.push_back(i);
    }
    StoredRows rows(keys.size());
    for (const auto& [node, portion] : portions) {
      BANQUET_ASSIGN_OR_RETURN(const auto connection, node->Connect());
      BANQUET_ASSIGN_OR_RETURN(StoredRows of_node,
                               ReadRows(connection.get(), view, portion.keys, Topology::kCluster));
      for (size_t i = 0; i < of_node.size(); ++i) {
        rows[portion.places[i]] = std::move(of_node[i]);
      }
    }
    return rows;
  }

  const std::string description_;
  const std::stop_token stop_;
  ClusterNodes nodes_;
};

}  // namespace

std::unique_ptr<OnlineStore> MakeClusterStore(NodeSettings settings,
                                              std::vector<ServerAddress> start) {
  settings.topology = Topology::kCluster;
  return std::make_unique<ClusterStore>(std::move(settings), std::move(start));
}

}  // namespace banquet::redis
