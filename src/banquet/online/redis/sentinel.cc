#include "banquet/online/redis/sentinel.h"

#include <charconv>
#include <string>
#include <utility>

#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

Result<ServerAddress> Ask(const ServerAddress& sentinel, const ConnectionSettings& settings) {
  BANQUET_ASSIGN_OR_RETURN(const auto connection,
                           Connection::Open({.address = sentinel,
                                             .logs_in = false,
                                             .connect_timeout = settings.connect_timeout,
                                             .stall_timeout = settings.connect_timeout,
                                             .stop = settings.stop}));
  BANQUET_ASSIGN_OR_RETURN(
      const Reply* reply,
      connection->Call({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings.master}));
  if (reply->IsError()) return ErrorOfReply(reply->text(), connection->server(), "SENTINEL");
  if (reply->kind() == ReplyKind::kNil) {
    return UserError("{} knows no master of that name; mend online_store.sentinel_master: {}",
                     connection->server(), settings.master);
  }
  ServerAddress master = settings.address;
  if (reply->IsFlatArray(2)) {
    master.host = reply->text(1);
    const std::string_view port = reply->text(2);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), master.port);
    if (error == std::errc() && end == port.data() + port.size()) return master;
  }
  return RemoteError({}, "{}: an unexpected reply to SENTINEL; is this a Redis Sentinel?",
                     connection->server());
}

}  // namespace

Result<ServerAddress> FindMaster(const ConnectionSettings& settings) {
  Result<ServerAddress> master = Bug("No sentinel was named");
  for (const ServerAddress& sentinel : settings.sentinels) {
    master = Ask(sentinel, settings);
    if (master.ok() || FaultOf(master.status()) != Fault::kRemote) return master;
  }
  return master;
}

}  // namespace banquet::redis
