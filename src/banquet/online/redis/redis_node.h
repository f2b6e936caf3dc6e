#pragma once
// One server, whether alone or a master of a cluster, with what is known of it over a run.

#include <memory>
#include <span>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/restore_terms.h"
#include "banquet/online/redis/server_watch.h"

namespace banquet::redis {

struct NodeSettings {
  ConnectionSettings connection;
  int64_t key_ttl_seconds = 0;
  int wait_replicas = 0;
  bool restore = true;
  Topology topology = Topology::kSingle;
};

// Safe to share between threads. Ends, as far as a moment allows, what dropped writers may have
// left on their way, when it is destroyed.
class RedisNode {
 public:
  explicit RedisNode(NodeSettings settings);
  ~RedisNode();

  // First contact: what the server is, to be compared in Confirm.
  Status Prepare();
  Status Check(std::span<const ViewColumns> views) const;
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views);
  Status Confirm();
  Result<std::unique_ptr<Connection>> Connect() const {
    return Connection::Open(settings_.connection);
  }
  bool has_dead_writers() { return watch_.has_dead_writers(); }
  std::string Describe() const;

 private:
  void EndLateWrites();

  const NodeSettings settings_;
  ServerWatch watch_;
  RestoreTerms restore_terms_;
};

}  // namespace banquet::redis
