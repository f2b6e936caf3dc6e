#pragma once
// Writes rows to one Redis server, guarded by what it holds.

#include <memory>
#include <span>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/row_frames.h"
#include "banquet/online/redis/server_watch.h"

namespace banquet::redis {

// Rows go in chunks: the stored times of a chunk are asked for, then its newer rows are written,
// while the next chunk's times are already asked for. Under `strict`, in groups under WATCH, each
// for itself. A writer dropped with writes unanswered is reported to `watch`, which is borrowed.
std::unique_ptr<OnlineWriter> MakeWriter(std::unique_ptr<Connection> connection, RowFrames frames,
                                         bool strict, ServerWatch* watch);

}  // namespace banquet::redis
