#pragma once
// A real Redis cluster for tests: three masters, each with a replica if asked for.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "banquet/online/redis/cluster_slots.h"
#include "banquet/online/redis/live_redis.h"

namespace banquet::redis {

class LiveCluster {
 public:
  static constexpr int kMasters = 3;

  static Result<std::unique_ptr<LiveCluster>> Start(bool with_replicas = false) {
    std::unique_ptr<LiveCluster> cluster(new LiveCluster);
    const int nodes = with_replicas ? 2 * kMasters : kMasters;
    for (int i = 0; i < nodes; ++i) {
      BANQUET_ASSIGN_OR_RETURN(const int bus, FreePort());
      cluster->buses_.push_back(bus);
      BANQUET_ASSIGN_OR_RETURN(
          cluster->nodes_.emplace_back(),
          LiveRedis::Start({"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
                            "--cluster-node-timeout", "1000", "--cluster-port", std::to_string(bus),
                            "--repl-diskless-sync-delay", "0"}));
    }
    BANQUET_RETURN_NOT_OK(cluster->Join(with_replicas));
    return cluster;
  }

  LiveRedis& node(int i) { return *nodes_[static_cast<size_t>(i)]; }
  std::string connection_string() const {
    return nodes_[0]->connection_string() + "," + nodes_[1]->connection_string();
  }

  // Commands past the store; an error reply is an error.
  static Result<std::string> Ask(const LiveRedis& server,
                                 std::initializer_list<std::string_view> words) {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, server.Connect());
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call(words));
    if (reply->IsError()) return RemoteError({}, "{}", reply->text());
    return reply->kind() == ReplyKind::kInteger ? std::to_string(reply->integer())
                                                : std::string(reply->text());
  }

  static bool Eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      if (holds()) return true;
      usleep(20'000);
    }
    return false;
  }

  Result<std::string> IdOf(int i) { return Ask(node(i), {"CLUSTER", "MYID"}); }

  // Moves a slot with its keys from one master to another, telling all.
  Status MoveSlot(uint16_t slot, int from, int to) {
    const std::string number = std::to_string(slot);
    BANQUET_ASSIGN_OR_RETURN(const std::string from_id, IdOf(from));
    BANQUET_ASSIGN_OR_RETURN(const std::string to_id, IdOf(to));
    BANQUET_RETURN_NOT_OK(Ask(node(to), {"CLUSTER", "SETSLOT", number, "IMPORTING", from_id}));
    BANQUET_RETURN_NOT_OK(Ask(node(from), {"CLUSTER", "SETSLOT", number, "MIGRATING", to_id}));
    const std::string port = std::to_string(node(to).port());
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const auto connection, node(from).Connect());
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply,
                               connection->Call({"CLUSTER", "GETKEYSINSLOT", number, "1"}));
      if (reply->size() < 2) break;
      const std::string key(reply->text(1));
      BANQUET_RETURN_NOT_OK(Ask(node(from), {"MIGRATE", "127.0.0.1", port, key, "0", "5000"}));
    }
    for (int i = 0; i < kMasters; ++i) {
      BANQUET_RETURN_NOT_OK(Ask(node(i), {"CLUSTER", "SETSLOT", number, "NODE", to_id}));
    }
    return Status::OK();
  }

 private:
  LiveCluster() = default;

  Status Join(bool with_replicas) {
    for (int i = 0; i < kMasters; ++i) {
      const std::string first = std::to_string(i * static_cast<int>(kSlots) / kMasters);
      const std::string last = std::to_string((i + 1) * static_cast<int>(kSlots) / kMasters - 1);
      BANQUET_RETURN_NOT_OK(Ask(node(i), {"CLUSTER", "ADDSLOTSRANGE", first, last}));
    }
    for (size_t i = 1; i < nodes_.size(); ++i) {
      const std::string port = std::to_string(nodes_[i]->port());
      const std::string bus = std::to_string(buses_[i]);
      BANQUET_RETURN_NOT_OK(Ask(node(0), {"CLUSTER", "MEET", "127.0.0.1", port, bus}));
    }
    const auto knows_all = [&](const std::unique_ptr<LiveRedis>& server) {
      const auto info = Ask(*server, {"CLUSTER", "INFO"});
      const std::string nodes = "cluster_known_nodes:" + std::to_string(nodes_.size()) + "\r\n";
      return info.ok() && info->find("cluster_state:ok") != std::string::npos &&
             info->find(nodes) != std::string::npos;
    };
    if (!Eventually([&] { return std::ranges::all_of(nodes_, knows_all); })) {
      return RemoteError({}, "the cluster does not come together");
    }
    for (int i = 0; with_replicas && i < kMasters; ++i) {
      BANQUET_ASSIGN_OR_RETURN(const std::string id, IdOf(i));
      BANQUET_RETURN_NOT_OK(Ask(node(kMasters + i), {"CLUSTER", "REPLICATE", id}));
    }
    const auto has_replica = [&](int i) {
      const auto info = Ask(node(i), {"INFO", "replication"});
      return info.ok() && info->find("state=online") != std::string::npos;
    };
    const bool are_linked = !with_replicas || Eventually([&] {
      return has_replica(0) && has_replica(1) && has_replica(2);
    });
    return are_linked ? Status::OK() : RemoteError({}, "the replicas do not follow");
  }

  std::vector<std::unique_ptr<LiveRedis>> nodes_;
  std::vector<int> buses_;
};

}  // namespace banquet::redis
