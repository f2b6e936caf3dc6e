#include "banquet/online/redis/redis_node.h"

#include <algorithm>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/online/redis/dial.h"
#include "banquet/online/redis/redis_writer.h"
#include "banquet/online/redis/view_access.h"

namespace banquet::redis {
namespace {

// Of each step of the last contact, after a run that failed: a stopped run ends within two seconds.
constexpr std::chrono::milliseconds kLastWordTimeout{400};

}  // namespace

RedisNode::RedisNode(NodeSettings settings)
    : settings_(std::move(settings)), restore_terms_(settings_.restore) {}

RedisNode::~RedisNode() { EndLateWrites(); }

Status RedisNode::Prepare() {
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connect());
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"PING"}));
  if (reply->IsError() && !reply->text().starts_with("NOPERM")) {
    return ErrorOfReply(reply->text(), connection->server(), "PING");
  }
  return watch_.Begin(connection.get());
}

Status RedisNode::Check(std::span<const ViewColumns> views) const {
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connect());
  for (const ViewColumns& view : views) {
    BANQUET_RETURN_NOT_OK(CheckRights(connection.get(), view, settings_.key_ttl_seconds > 0));
  }
  return Status::OK();
}

Result<std::unique_ptr<OnlineWriter>> RedisNode::OpenWriter(std::span<const ViewColumns> views) {
  BANQUET_ASSIGN_OR_RETURN(RowFrames frames, RowFrames::Make(views, settings_.key_ttl_seconds));
  BANQUET_ASSIGN_OR_RETURN(auto connection, Connect());
  BANQUET_RETURN_NOT_OK(watch_.EndDeadWriters(connection.get()));
  BANQUET_RETURN_NOT_OK(restore_terms_.Ask(connection.get()));
  const bool strict = std::ranges::count(views, Guard::kStrict, &ViewColumns::guard) > 0;
  return MakeWriter(
      {.connection = std::move(connection),
       .frames = std::move(frames),
       .restore = RestoreFrames::Make(views, settings_.key_ttl_seconds, restore_terms_.limits()),
       .strict = strict,
       .topology = settings_.topology,
       .watch = &watch_,
       .terms = &restore_terms_});
}

Status RedisNode::Confirm() {
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connect());
  return watch_.Confirm(connection.get(), settings_.wait_replicas);
}

std::string RedisNode::Describe() const {
  const ConnectionSettings& connection = settings_.connection;
  if (connection.sentinels.empty()) return connection.address.Describe();
  const ServerAddress& sentinel = connection.sentinels.front();
  return fmt::format("redis master {} of the sentinels at {}:{}", connection.master, sentinel.host,
                     sentinel.port);
}

// A run that failed or was stopped may leave connections whose last bytes the server has not
// executed yet. As far as a moment allows, they are ended, so that nothing is written after us.
void RedisNode::EndLateWrites() {
  if (!watch_.has_dead_writers()) return;
  ConnectionSettings brief = settings_.connection;
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

}  // namespace banquet::redis
