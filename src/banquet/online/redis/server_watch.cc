#include "banquet/online/redis/server_watch.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/log.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

constexpr std::chrono::milliseconds kLookAgain{50};  // At replicas that are behind.

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

int64_t NumberOf(std::string_view text) {
  int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "offset=" of a line "slave0:ip=…,port=…,state=online,offset=…,lag=…"; -1: the replica is not
// connected.
int64_t ReplicaOffset(std::string_view line) {
  if (line.find(",state=online,") == std::string_view::npos) return -1;
  const size_t offset = line.find(",offset=");
  return offset == std::string_view::npos ? -1 : NumberOf(line.substr(offset + 8));
}

struct Replication {
  int64_t offset = -1;             // Of the server.
  std::vector<int64_t> confirmed;  // By each replica.

  int64_t Reached(int64_t wanted) const {
    return std::ranges::count_if(confirmed, [wanted](int64_t has) { return has >= wanted; });
  }
};

Result<Replication> AskForReplicas(Connection* connection) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"INFO", "replication"}));
  if (reply->IsError()) return ErrorOfReply(reply->text(), connection->server(), "INFO");
  Replication replication;
  if (reply->kind() == ReplyKind::kBulk) {
    replication.offset = NumberOf(InfoValue(reply->text(), "master_repl_offset"));
    for (int number = 0;; ++number) {
      const std::string line = InfoValue(reply->text(), fmt::format("slave{}", number));
      if (line.empty()) break;
      replication.confirmed.push_back(ReplicaOffset("," + line));
    }
  }
  if (replication.offset >= 0) return replication;
  return RemoteError({},
                     "{}: INFO tells no master_repl_offset, so that replicas cannot be confirmed",
                     connection->server());
}

// Everything was acknowledged before: who has confirmed where the server is now has it all. Not
// WAIT, which servers newer than 7.2 count from the last write of the connection that asks, and
// ours has none.
Status AwaitReplicas(Connection* connection, int replicas) {
  BANQUET_ASSIGN_OR_RETURN(Replication found, AskForReplicas(connection));
  const int64_t wanted = found.offset;
  const std::chrono::milliseconds patience = connection->stall_timeout();
  const auto deadline = SystemClock().Steady() + patience;
  while (found.Reached(wanted) < replicas) {
    if (SystemClock().Steady() >= deadline) {
      return RemoteError({},
                         "{}: replicas that have the rows within {} ms: {} of {} "
                         "(banquet.redis_wait_replicas)",
                         connection->server(), patience.count(), found.Reached(wanted), replicas);
    }
    BANQUET_RETURN_NOT_OK(connection->Pause(kLookAgain));
    BANQUET_ASSIGN_OR_RETURN(found, AskForReplicas(connection));
  }
  return Status::OK();
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
  if (replicas > 0) BANQUET_RETURN_NOT_OK(AwaitReplicas(connection, replicas));
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
