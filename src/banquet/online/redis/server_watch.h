#pragma once
// Makes sure that what a server acknowledged is still there, and that no writer given up can still
// write (the zombie pipeline: bytes of a stalled connection that the server executes later).

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"

namespace banquet::redis {

// Safe to share between threads.
class ServerWatch {
 public:
  // Records the server's run and its evictions; the first call counts, later ones only compare the
  // run. A server that does not tell is noted in the log, and then not watched.
  Status Begin(Connection* connection);

  // A writer was dropped while the server may still execute commands of it.
  void AddDeadWriter(std::optional<int64_t> id);
  // Fails where the server is another than before; then kills the dead writers' connections. A
  // connection whose end cannot be made sure fails the run.
  Status EndDeadWriters(Connection* connection);

  // The same, for a run that has failed already: a server that is another has nothing to be ended.
  Status EndLateWrites(Connection* connection);
  bool has_dead_writers();

  // Same server, nothing evicted, so many replicas up to date.
  Status Confirm(Connection* connection, int replicas);

  // A server out of memory is asked once more; true: this was that one time.
  bool TakeMemoryRetry() { return !memory_retried_.exchange(true); }
  void EndMemoryRetry() { memory_retried_ = false; }

 private:
  struct ServerState {
    std::string run_id;
    std::string evicted_keys;
  };
  // nullopt: the server does not tell.
  static Result<std::optional<ServerState>> Ask(Connection* connection);
  Status KillDeadWriters(Connection* connection);
  Status CheckRun(const std::optional<ServerState>& state, const std::string& server) const;

  std::mutex mutex_;
  bool begun_ = false;
  std::optional<ServerState> state_;
  std::vector<std::optional<int64_t>> dead_writers_;
  std::atomic<bool> memory_retried_ = false;
};

}  // namespace banquet::redis
