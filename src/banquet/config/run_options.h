#pragma once
// Banquet's own options: the `banquet:` block and its command-line forms (architecture section 8).

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/option_table.h"
#include "banquet/base/status.h"
#include "banquet/model/view_columns.h"

namespace banquet {

enum class OnNullKey { kSkip, kFail };
enum class SqliteTimes { kPython, kUtc };

// What `unsupported` says of views that this version cannot handle.
struct UnsupportedRule {
  bool skip_all = false;
  std::vector<std::string> skip_views;
};

// Options that one view may have of its own (`views.<name>.…`).
// A batch_engine of a view's own.
struct BatchEngineBlock {
  std::string type;  // Aliases resolved.
  ConfigNode block;
};

struct ViewOptions {
  std::string place;  // Where the block is written, for messages.
  std::optional<Overwrite> overwrite;
  std::optional<Guard> guard;
  std::optional<OnNullKey> on_null_key;
  std::optional<BatchEngineBlock> batch_engine;  // Absent: the one of all views.
};

// A store of `online_stores`.
struct OnlineStoreBlock {
  std::string name;
  std::string type;  // Aliases resolved.
  ConfigNode block;
};

struct RunOptions {
  int threads = 0;          // Workers of a pipeline; 0: one per core.
  int parallel_groups = 2;  // Task groups at once.
  std::optional<Overwrite>
      overwrite;  // nullopt: newest, or always where the store block says skip_dedup.
  std::optional<Guard> guard;
  OnNullKey on_null_key = OnNullKey::kSkip;
  UnsupportedRule unsupported;
  int64_t memory_limit = 0;  // Bytes, of the whole run; 0: half of what the machine or cgroup has.
  std::string spill_directory;  // Empty: the system's temporary folder.
  bool share_reads = true;
  bool late_materialization = true;
  bool skip_row_groups = true;
  bool dictionaries = true;
  SqliteTimes sqlite_ts = SqliteTimes::kPython;
  bool anonymous_objects = false;  // s3:// and gs:// are read without credentials.
  bool sqlite_feed = true;         // A statement per flush into SQLite; else one per row.
  int redis_wait_replicas = 0;
  std::string
      dynamodb_write_units_max;  // A second: "1000", or "50%" of the table's; empty: no limit.
  std::string dynamodb_ttl_attribute;  // Empty: none.
  std::string staging_location;        // Empty: none.
  bool keep_staged = false;
  bool redis_restore = true;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};   // Without any progress.
  std::chrono::milliseconds retry_timeout{300'000};  // All attempts at one batch.
  std::chrono::milliseconds lock_wait{0};
  std::chrono::milliseconds lease_duration{60'000};  // Of a view's lock in a shared registry.
  int64_t write_rate_max = 0;  // Entities a second that a store is given; 0: no limit.
  std::map<std::string, ViewOptions> views;
  std::vector<OnlineStoreBlock> online_stores;  // Written beside online_store, in file order.
  // What a view gets: its own value, else the run's.
  OnNullKey OnNullKeyOf(const std::string& view) const;
  std::optional<Overwrite> OverwriteOf(const std::string& view) const;
  std::optional<Guard> GuardOf(const std::string& view) const;
};

// The table: parses, refuses, prints the help and the reference page. Options of the architecture
// that this version does not act on are not in it; writing one of them is refused by name.
std::span<const OptionSpec> RunOptionTable();

// An engine's block, {type: …} with its keys, or the type alone; `place` is where it is written.
Result<BatchEngineBlock> ReadBatchEngine(const ConfigNode& node, const std::string& place);

// From the block and the command line's overrides.
Result<RunOptions> ParseRunOptions(const ConfigNode& block,
                                   std::span<const std::pair<std::string, std::string>> overrides);

}  // namespace banquet
