#include "banquet/online/redis/server_watch.h"

#include <algorithm>
#include <string_view>

#include "banquet/base/log.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

// WAIT is answered when its own time is over; we listen so much longer.
constexpr std::chrono::milliseconds kWaitSlack{5000};

// The value of a line "name:value\r\n" of INFO.
std::string InfoValue(std::string_view info, std::string_view name) {
  size_t begin = 0;
  while (begin < info.size()) {
    const size_t end = std::min(info.find("\r\n", begin), info.size());
    const std::string_view line = info.substr(begin, end - begin);
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      return std::string(line.substr(name.size() + 1));
    }
    begin = end + 2;
  }
  return {};
}

bool MayTryAgain(std::string_view error) {
  const ReplyFate fate = RuleOf(error).fate;
  return fate == ReplyFate::kAgain || fate == ReplyFate::kReconnect;
}

Status KillDeadWriter(Connection* connection, std::optional<int64_t> id) {
  if (!id.has_value()) {
    return RemoteError(
        {},
        "{}: a connection was lost with rows undecided, and the server does not tell "
        "connections apart (CLIENT ID), so that late writes cannot be excluded; run the "
        "command again, or grant CLIENT ID and CLIENT KILL",
        connection->server());
  }
  const std::string number = std::to_string(*id);
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"CLIENT", "KILL", "ID", number}));
  if (reply->kind() == ReplyKind::kInteger) return Status::OK();  // 0: it is gone already.
  if (reply->IsError() && reply->text().starts_with("ERR No such client")) return Status::OK();
  if (reply->IsError() && MayTryAgain(reply->text())) {
    return ErrorOfReply(reply->text(), connection->server(), "CLIENT KILL");
  }
  return RemoteError(
      {},
      "{}: a connection was lost with rows undecided, and the server refused to end it "
      "(CLIENT KILL), so that late writes cannot be excluded; run the command again, or grant "
      "CLIENT KILL",
      connection->server());
}

}  // namespace

Result<std::optional<ServerWatch::ServerState>> ServerWatch::Ask(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"INFO"}));
  if (reply->IsError()) {
    if (MayTryAgain(reply->text()) || reply->text().starts_with("NOAUTH")) {
      return ErrorOfReply(reply->text(), connection->server(), "INFO");
    }
    return std::nullopt;
  }
  ServerState state;
  if (reply->kind() == ReplyKind::kBulk) {
    state.run_id = InfoValue(reply->text(), "run_id");
    state.evicted_keys = InfoValue(reply->text(), "evicted_keys");
  }
  if (state.run_id.empty()) return std::nullopt;
  return state;
}

Status ServerWatch::CheckRun(const std::optional<ServerState>& state,
                             const std::string& server) const {
  if (!state_.has_value() || !state.has_value() || state_->run_id == state->run_id) {
    return Status::OK();
  }
  return RemoteError({},
                     "{} was restarted or replaced during the run (its run_id changed), so "
                     "that rows acknowledged before may be lost; run the command again",
                     server);
}

Status ServerWatch::Begin(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<ServerState> state, Ask(connection));
  std::lock_guard lock(mutex_);
  if (begun_) return CheckRun(state, connection->server());
  begun_ = true;
  state_ = state;
  if (!state.has_value()) {
    LogWarning(
        "{}: the server does not answer INFO; a restart or an eviction during the run will "
        "not be noticed",
        connection->server());
  }
  if (!connection->id().has_value()) {
    LogWarning(
        "{}: the server does not answer CLIENT ID; a connection lost with rows undecided "
        "will end the run",
        connection->server());
  }
  return Status::OK();
}

void ServerWatch::AddDeadWriter(std::optional<int64_t> id) {
  std::lock_guard lock(mutex_);
  dead_writers_.push_back(id);
}

bool ServerWatch::has_dead_writers() {
  std::lock_guard lock(mutex_);
  return !dead_writers_.empty();
}

Status ServerWatch::EndDeadWriters(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<ServerState> state, Ask(connection));
  std::lock_guard lock(mutex_);
  // Numbers of connections are those of one run; a server that ended has ended its connections.
  BANQUET_RETURN_NOT_OK(CheckRun(state, connection->server()));
  return KillDeadWriters(connection);
}

Status ServerWatch::EndLateWrites(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const std::optional<ServerState> state, Ask(connection));
  std::lock_guard lock(mutex_);
  if (!CheckRun(state, connection->server()).ok()) dead_writers_.clear();
  return KillDeadWriters(connection);
}

Status ServerWatch::KillDeadWriters(Connection* connection) {
  while (!dead_writers_.empty()) {
    BANQUET_RETURN_NOT_OK(KillDeadWriter(connection, dead_writers_.back()));
    dead_writers_.pop_back();
  }
  return Status::OK();
}

Status ServerWatch::Confirm(Connection* connection, int replicas) {
  BANQUET_RETURN_NOT_OK(EndDeadWriters(connection));
  const std::string& server = connection->server();
  if (replicas > 0) {
    // WAIT counts replicas that have what its connection saw last, here at the INFO above: more
    // than all our writes.
    const auto wait = connection->stall_timeout();
    connection->set_stall_timeout(wait + kWaitSlack);
    const std::string number = std::to_string(replicas);
    const std::string wait_ms = std::to_string(std::max<int64_t>(1, wait.count()));
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"WAIT", number, wait_ms}));
    connection->set_stall_timeout(wait);
    if (reply->IsError()) return ErrorOfReply(reply->text(), server, "WAIT");
    const int64_t reached = reply->kind() == ReplyKind::kInteger ? reply->integer() : 0;
    if (reached < replicas) {
      return RemoteError({},
                         "{}: replicas that have the rows within {} ms: {} of {} "
                         "(banquet.redis_wait_replicas)",
                         server, wait.count(), reached, replicas);
    }
  }
  BANQUET_ASSIGN_OR_RETURN(const std::optional<ServerState> state, Ask(connection));
  std::lock_guard lock(mutex_);
  BANQUET_RETURN_NOT_OK(CheckRun(state, server));
  if (state_.has_value() && state.has_value() && state_->evicted_keys != state->evicted_keys) {
    return RemoteError({},
                       "{} evicted keys during the run (evicted_keys went from {} to {}), so "
                       "that rows may be missing; raise its maxmemory and run the command "
                       "again",
                       server, state_->evicted_keys, state->evicted_keys);
  }
  return Status::OK();
}

}  // namespace banquet::redis
