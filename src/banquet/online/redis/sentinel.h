#pragma once
// Asks Redis Sentinels which server is the master.

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"

namespace banquet::redis {

// The address of settings.master by the first of settings.sentinels that answers, with all else of
// settings.address. A sentinel that knows no such master is a user error; where none answers, the
// last one's failure. Sentinels are asked without login and without TLS, as Feast's client does.
Result<ServerAddress> FindMaster(const ConnectionSettings& settings);

}  // namespace banquet::redis
