#pragma once
// Writes rows to one Redis server, guarded by what it holds.

#include <memory>
#include <optional>

#include "banquet/online/online_store.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/restore_frames.h"
#include "banquet/online/redis/restore_terms.h"
#include "banquet/online/redis/row_frames.h"
#include "banquet/online/redis/server_watch.h"

namespace banquet::redis {

struct WriterParts {
  std::unique_ptr<Connection> connection;
  RowFrames frames;
  std::optional<RestoreFrames> restore;  // nullopt: every row goes by HSET.
  bool strict = false;
  Topology topology = Topology::kSingle;
  ServerWatch* watch = nullptr;   // Borrowed; told of a writer dropped with writes unanswered.
  RestoreTerms* terms = nullptr;  // Borrowed.
};

// Rows go in chunks, some of them on their way at once. Keys that are likely not there are made by
// RESTORE, which never overwrites; for others the stored times are asked for, and the rows that
// pass are written by HSET. Under `strict` the latter goes in groups under WATCH, each for itself.
std::unique_ptr<OnlineWriter> MakeWriter(WriterParts parts);

}  // namespace banquet::redis
