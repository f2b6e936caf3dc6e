#pragma once
// One database that serves features.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/config_node.h"
#include "banquet/base/option_table.h"
#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"
#include "banquet/model/write_needs.h"

namespace banquet {

// Which rows of a batch to write, ascending. Empty `indices` with `all` means every row.
struct RowSelection {
  bool all = true;
  std::span<const uint32_t> indices;
  static RowSelection All() { return {}; }
  static RowSelection Of(std::span<const uint32_t> rows) { return {.all = false, .indices = rows}; }
  size_t Count(size_t batch_rows) const { return all ? batch_rows : indices.size(); }
  uint32_t At(size_t i) const { return all ? static_cast<uint32_t>(i) : indices[i]; }
};

// One entity's row of one view as read back.
struct StoredRow {
  std::vector<std::optional<std::string>>
      values;                       // Value bytes per requested feature; nullopt: not stored.
  std::optional<int64_t> event_us;  // At the store's precision; nullopt: none stored.
};
using StoredRows = std::vector<std::optional<StoredRow>>;  // Per key; nullopt: no row of this view.

// Calls must match (Write | Flush)*. Used by one thread. Writing a row twice leaves it as writing
// it once. After an error the writer is dead: drop it and open another; what it had not decided is
// unknown and is written again.
class OnlineWriter {
 public:
  virtual ~OnlineWriter() = default;  // Drops what was not flushed.
  // Takes rows of a shared, immutable batch. May send, may buffer. `rows.indices` is borrowed until
  // Flush returns.
  virtual Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) = 0;
  // Returns once every row taken is decided: written, stale, unchanged, or refused for now
  // (undecided).
  virtual Result<RowOutcomes> Flush() = 0;
};

// Where a store sells its writes (DynamoDB: write units).
struct WritePrice {
  double units_per_second = 0;  // That it takes of the view, within the run's own limits.
  std::function<double(const EncodedBatch&, size_t view_number, uint32_t row)> units_of;
};

// Safe to share between threads; a writer is not.
class OnlineStore {
 public:
  virtual ~OnlineStore() = default;
  virtual WriteNeeds needs() const = 0;
  // Connects, checks rights, makes tables; idempotent. The first contact: a store that is not there
  // fails here at once.
  virtual Status Prepare(std::span<const ViewColumns> views) = 0;
  // Tries what a run over these views needs and changes nothing: connection, login, rights, the
  // shape of tables. What is missing is the error.
  virtual Status Check(std::span<const ViewColumns> views) = 0;
  // `views` is the task group, in the order of EncodedBatch::views. `lane` is 0 .. needs().lanes
  // - 1.
  virtual Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                           int lane) = 0;
  // Before an interval is recorded: is what was acknowledged still there (same server, nothing
  // evicted, replicas have it)?
  virtual Status ConfirmWritten() { return Status::OK(); }
  // `features` of view to read, in the order of StoredRow::values.
  virtual Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) = 0;
  // What writing costs; nullopt: nothing but time. Changes nothing.
  virtual Result<std::optional<WritePrice>> PriceOf(const ViewColumns& /*view*/) {
    return std::nullopt;
  }
  // Removes the view's rows and nothing else.
  virtual Status Remove(const ViewColumns& view) = 0;
  virtual std::string_view type() const = 0;  // "redis"
  virtual std::string Describe() const = 0;   // "redis at localhost:6379/0", never a secret.
};

// What a store needs to be made.
struct OnlineStoreContext {
  std::string repo_path;  // Relative paths count from here.
  std::string project;
  std::string provider = "local";
  bool sqlite_ts_utc = false;  // banquet.sqlite_ts: utc
  bool sqlite_feed = true;     // banquet.sqlite_feed
  int redis_wait_replicas = 0;
  std::string dynamodb_write_units_max;  // "1000", "50%"; empty: no limit.
  std::string dynamodb_ttl_attribute;    // Empty: items have none.
  int64_t memory_limit = 0;              // Of the whole run in bytes; 0: none is known.
  bool redis_restore = true;  // Keys that do not exist are made by RESTORE where the server can.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;           // Ends waits early.
  Clock* clock = &SystemClock();  // Borrowed, outlives the store.
};

// One row of the generated list of products (builtin/).
struct OnlineStoreProduct {
  std::string_view type;
  Result<std::unique_ptr<OnlineStore>> (*make)(const ConfigNode& block,
                                               const OnlineStoreContext& context);
  std::span<const OptionSpec> (*options)();  // For `banquet stores`.
};

}  // namespace banquet
