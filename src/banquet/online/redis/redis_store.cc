#include "banquet/online/redis/redis_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/connection_string.h"
#include "banquet/online/redis/dial.h"
#include "banquet/online/redis/redis_writer.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/server_watch.h"
#include "banquet/online/redis/view_access.h"

namespace banquet::redis {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "redis_type",
     .type = OptionType::kChoice,
     .default_value = "redis",
     .meaning = "the kind of server; clusters are refused by this version",
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
// Of each step of the last contact, after a run that failed: a stopped run ends within two seconds.
constexpr std::chrono::milliseconds kLastWordTimeout{400};
constexpr int64_t kTtlSecondsMax = int64_t{1} << 40;

// One server. Writers have connections of their own; reads share one, one at a time.
class RedisStore final : public OnlineStore {
 public:
  RedisStore(ConnectionSettings settings, int64_t key_ttl_seconds,
             const OnlineStoreContext& context)
      : settings_(std::move(settings)),
        key_ttl_seconds_(key_ttl_seconds),
        wait_replicas_(context.redis_wait_replicas),
        restore_terms_(context.redis_restore) {}

  ~RedisStore() override { EndLateWrites(); }

  // One core serves all writes, so that further connections do not help.
  WriteNeeds needs() const override { return {.lanes = 1}; }

  Status Check(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Connection::Open(settings_));
    for (const ViewColumns& view : views) {
      BANQUET_RETURN_NOT_OK(CheckRights(connection.get(), view, key_ttl_seconds_ > 0));
    }
    return Status::OK();
  }

  Status Prepare(std::span<const ViewColumns> /*views*/) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Connection::Open(settings_));
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"PING"}));
    if (reply->IsError() && !reply->text().starts_with("NOPERM")) {
      return ErrorOfReply(reply->text(), connection->server(), "PING");
    }
    return watch_.Begin(connection.get());
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    BANQUET_ASSIGN_OR_RETURN(RowFrames frames, RowFrames::Make(views, key_ttl_seconds_));
    BANQUET_ASSIGN_OR_RETURN(auto connection, Connection::Open(settings_));
    BANQUET_RETURN_NOT_OK(watch_.EndDeadWriters(connection.get()));
    BANQUET_RETURN_NOT_OK(restore_terms_.Ask(connection.get()));
    const bool strict = std::ranges::count(views, Guard::kStrict, &ViewColumns::guard) > 0;
    return MakeWriter(
        {.connection = std::move(connection),
         .frames = std::move(frames),
         .restore = RestoreFrames::Make(views, key_ttl_seconds_, restore_terms_.limits()),
         .strict = strict,
         .watch = &watch_,
         .terms = &restore_terms_});
  }

  Status ConfirmWritten() override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Connection::Open(settings_));
    return watch_.Confirm(connection.get(), wait_replicas_);
  }

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
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Connection::Open(settings_));
    return RemoveRows(connection.get(), view);
  }

  std::string_view type() const override { return "redis"; }
  std::string Describe() const override {
    if (settings_.sentinels.empty()) return settings_.address.Describe();
    const ServerAddress& sentinel = settings_.sentinels.front();
    return fmt::format("redis master {} of the sentinels at {}:{}", settings_.master, sentinel.host,
                       sentinel.port);
  }

 private:
  Result<StoredRows> TryRead(const ViewColumns& view, std::span<const std::string> keys) {
    if (read_connection_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(read_connection_, Connection::Open(settings_));
    }
    return ReadRows(read_connection_.get(), view, keys);
  }

  // A run that failed or was stopped may leave connections whose last bytes the server has not
  // executed yet. As far as a moment allows, they are ended, so that nothing is written after us.
  void EndLateWrites() {
    if (!watch_.has_dead_writers()) return;
    ConnectionSettings brief = settings_;
    brief.connect_timeout = std::min(brief.connect_timeout, kLastWordTimeout);
    brief.stall_timeout = std::min(brief.stall_timeout, kLastWordTimeout);
    brief.stop = {};  // It has been requested already, where the run was stopped.
    const auto connection = Connection::Open(std::move(brief));
    const Status status =
        connection.ok() ? watch_.EndLateWrites(connection->get()) : connection.status();
    if (status.ok()) return;
    if (!connection.ok() && IsNobodyThere(status)) {
      LogWarning(
          "{} is down, so that no write of this run can still come; start it and run the command "
          "again",
          Describe());
      return;
    }
    LogWarning(
        "A connection was lost with rows undecided and could not be ended; late writes "
        "cannot be excluded. Before the next run, end the server's clients of the name banquet "
        "(CLIENT LIST, CLIENT KILL): {}",
        MessageOf(status));
  }

  const ConnectionSettings settings_;
  const int64_t key_ttl_seconds_;
  const int wait_replicas_;
  ServerWatch watch_;
  RestoreTerms restore_terms_;
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
  if (kind == "redis_cluster") {
    return UserError(
        "online_store.redis_type is not supported by this version; write to a single server or its "
        "sentinels ({}): {}",
        options.Location("redis_type").ToString(), kind);
  }
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
  return std::make_unique<RedisStore>(std::move(settings), ttl_seconds, context);
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::redis
