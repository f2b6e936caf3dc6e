#pragma once
// On what terms a server takes RESTORE.

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"
#include "banquet/online/redis/restore_frames.h"

namespace banquet::redis {

// One per store: a server that refuses RESTORE once is not asked again. Safe to share between
// threads.
class RestoreTerms {
 public:
  explicit RestoreTerms(bool wanted) : open_(wanted) {}

  // Asks the server's version and limits at the first call. RESTORE stays off where the server is
  // older than Redis 7.0 or does not tell. An error is one of the connection, or of a server that
  // may answer later.
  Status Ask(Connection* connection);

  bool open() const { return open_; }
  ListpackLimits limits() const;
  // From here on rows are written by HSET. `why` goes to the log.
  void Close(std::string_view why);

 private:
  std::atomic<bool> open_;
  mutable std::mutex mutex_;
  bool asked_ = false;
  ListpackLimits limits_;
};

}  // namespace banquet::redis
