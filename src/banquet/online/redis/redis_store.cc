#include "banquet/online/redis/redis_store.h"

#include <mutex>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/online/redis/cluster_store.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/connection_string.h"
#include "banquet/online/redis/redis_node.h"
#include "banquet/online/redis/view_access.h"

namespace banquet::redis {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "redis_type",
     .type = OptionType::kChoice,
     .default_value = "redis",
     .meaning =
         "the kind of server; for redis_cluster every node of connection_string may be asked",
     .choices = "redis|redis_cluster|redis_sentinel"},
    {.name = "connection_string",
     .type = OptionType::kSecret,
     .default_value = "localhost:6379",
     .meaning = "host:port, then, after commas, password=…, username=…, db=…"},
    {.name = "sentinel_master",
     .type = OptionType::kText,
     .default_value = "mymaster",
     .meaning = "the name by which sentinels know the master; for redis_sentinel"},
    {.name = "key_ttl_seconds",
     .type = OptionType::kInt,
     .unit = "s",
     .meaning = "an entity's hash expires so long after its last write; 0 or none: never"},
    {.name = "full_scan_for_deletion",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning = "for feast apply; writing does not depend on it"},
    {.name = "skip_dedup",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "as banquet.overwrite: always, unless that is written"},
    {.name = "client",
     .type = OptionType::kChoice,
     .default_value = "redis",
     .meaning = "which Python client Feast reads with; writing does not depend on it",
     .choices = "redis|glide"},
};
constexpr std::string_view kIgnoredKeys[] = {"type"};
constexpr int64_t kTtlSecondsMax = int64_t{1} << 40;

// One server. Writers have connections of their own; reads share one, one at a time.
class RedisStore final : public OnlineStore {
 public:
  explicit RedisStore(NodeSettings settings) : node_(std::move(settings)) {}

  // One core serves all writes, so that further connections do not help.
  WriteNeeds needs() const override { return {.lanes = 1}; }
  Status Check(std::span<const ViewColumns> views) override { return node_.Check(views); }
  Status Prepare(std::span<const ViewColumns> /*views*/) override { return node_.Prepare(); }
  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    return node_.OpenWriter(views);
  }
  Status ConfirmWritten() override { return node_.Confirm(); }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    std::lock_guard lock(read_mutex_);
    const bool reused = read_connection_ != nullptr;
    Result<StoredRows> rows = TryRead(view, keys);
    if (rows.ok()) return rows;
    read_connection_.reset();
    // A connection kept from before may have been closed meanwhile.
    if (!reused || !IsRetryable(rows.status())) return rows;
    rows = TryRead(view, keys);
    if (!rows.ok()) read_connection_.reset();
    return rows;
  }

  Status Remove(const ViewColumns& view) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, node_.Connect());
    return RemoveRows(connection.get(), view);
  }

  std::string_view type() const override { return "redis"; }
  std::string Describe() const override { return node_.Describe(); }

 private:
  Result<StoredRows> TryRead(const ViewColumns& view, std::span<const std::string> keys) {
    if (read_connection_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(read_connection_, node_.Connect());
    }
    return ReadRows(read_connection_.get(), view, keys);
  }

  RedisNode node_;
  std::mutex read_mutex_;
  std::unique_ptr<Connection> read_connection_;
};

// The parameters of connection_string are those of the master; sentinels are reached plainly.
std::vector<ServerAddress> SentinelsOf(const std::vector<ServerAddress>& nodes) {
  std::vector<ServerAddress> sentinels;
  for (const ServerAddress& node : nodes) {
    sentinels.push_back({.host = node.host, .port = node.port});
  }
  return sentinels;
}

}  // namespace

Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "online_store", kIgnoredKeys));
  const std::string kind = options.Text("redis_type").value_or("redis");
  const int64_t ttl_seconds = options.Int("key_ttl_seconds").value_or(0);
  if (ttl_seconds < 0 || ttl_seconds > kTtlSecondsMax) {
    return UserError(
        "online_store.key_ttl_seconds must be 0 (none) or a number of seconds ({}): {}",
        options.Location("key_ttl_seconds").ToString(), ttl_seconds);
  }
  Result<std::vector<ServerAddress>> nodes =
      ParseNodes(options.Text("connection_string").value_or("localhost:6379"));
  if (!nodes.ok()) {
    if (!options.Has("connection_string")) return nodes.status();
    return Annotate(nodes.status(), options.Location("connection_string").ToString());
  }
  for (const std::string& name : nodes->front().ignored) {
    LogInfo("online_store.connection_string: a parameter of Feast's client is ignored: {}", name);
  }
  const TlsSettings& tls = nodes->front().tls;
  if (tls.enabled && !tls.verify) {
    LogWarning(
        "online_store.connection_string: ssl_cert_reqs=none: whoever answers in the server's name "
        "gets the password and the data");
  }
  ConnectionSettings settings{.address = nodes->front(),
                              .sentinels = {},
                              .master = {},
                              .connect_timeout = context.connect_timeout,
                              .stall_timeout = context.stall_timeout,
                              .stop = context.stop};
  if (kind == "redis_sentinel") {
    if (!settings.address.unix_socket_path.empty()) {
      return UserError("online_store: redis_sentinel and unix_socket_path exclude each other");
    }
    settings.sentinels = SentinelsOf(*nodes);
    settings.master = options.Text("sentinel_master").value_or("mymaster");
  }
  NodeSettings node{.connection = std::move(settings),
                    .key_ttl_seconds = ttl_seconds,
                    .wait_replicas = context.redis_wait_replicas,
                    .restore = context.redis_restore};
  if (kind != "redis_cluster") return std::make_unique<RedisStore>(std::move(node));
  if (!nodes->front().unix_socket_path.empty()) {
    return UserError("online_store: redis_cluster and unix_socket_path exclude each other");
  }
  return MakeClusterStore(std::move(node), *std::move(nodes));
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::redis
