#pragma once
// Reads and removes one view's rows.

#include <span>
#include <string>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {

// The rows of the keys; HMGETs in pipelined chunks.
Result<StoredRows> ReadRows(Connection* connection, const ViewColumns& view,
                            std::span<const std::string> keys,
                            Topology topology = Topology::kSingle);

// The key by which CheckRights asks.
std::string RightsKeyOf(const ViewColumns& view);

// Whether the login may send what a run sends for the view's keys. The server looks at rights and
// at its memory when it queues a command, and what is queued is discarded.
Status CheckRights(Connection* connection, const ViewColumns& view, bool has_ttl);

// Scans the keys with the view's join keys and project, and removes the view's fields there. Where
// it is the only view, fields of features that it had before go too. Redis drops an empty hash.
Status RemoveRows(Connection* connection, const ViewColumns& view);

}  // namespace banquet::redis
