#pragma once
// Where rows come from.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/clock.h"
#include "banquet/base/config_node.h"
#include "banquet/base/status.h"
#include "banquet/model/scan_request.h"

namespace banquet {

// One fragment being read. Used by one thread.
class FragmentReader {
 public:
  virtual ~FragmentReader() = default;
  // The next rows in source order, or null at the end. Columns as Scan::schema says.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  virtual int64_t bytes_read() const = 0;  // So far, as stored (compressed).
};

// An independent part of a scan (a row group of a file), so that workers share the read. Opening is
// safe from any thread; may be opened more than once, so that a first look at keys and times can
// decide which rows to fetch whole.
class ScanFragment {
 public:
  virtual ~ScanFragment() = default;
  virtual int64_t rows() const = 0;  // Exactly: a reader gives so many.
  // Of its first row within the whole scan's input order (file order, then row order); rows follow
  // one by one. Decides full ties, so it must not depend on pruning.
  virtual int64_t first_row() const = 0;
  // Of all its rows that have an event time; nullopt when the source does not say.
  virtual std::optional<TimeBounds> time_bounds() const { return std::nullopt; }
  // Of a requested column, by its place in Scan::schema; nullopt when the source does not say, when
  // a value may be null, or when the column holds no signed whole numbers.
  virtual std::optional<NumberBounds> BoundsOf(int /*column*/) const { return std::nullopt; }
  // Reads the requested columns of these places in Scan::schema, in this order, and behind them the
  // reserved ones.
  virtual Result<std::unique_ptr<FragmentReader>> Open(std::span<const int> columns) const = 0;
};

// An opened request. The schema has the requested columns in order, then the reserved ones of
// model/scan_request.h.
struct Scan {
  std::shared_ptr<arrow::Schema> schema;
  int columns = 0;                                       // Requested ones, the first of the schema.
  std::vector<std::unique_ptr<ScanFragment>> fragments;  // In input order.
  ScanSummary summary;
  // All columns, once, from its first row on; there are no fragments then. For sources that cannot
  // be read a second time, or not cheaply: what the contest drops has been kept meanwhile. Rows
  // have no other order than that in which they come. Used by one thread at a time.
  std::unique_ptr<FragmentReader> stream;

  std::vector<int> AllColumns() const {
    std::vector<int> all(static_cast<size_t>(columns));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
};

// One place rows come from. Safe to share between threads.
class OfflineStore {
 public:
  virtual ~OfflineStore() = default;
  virtual ScanCapabilities capabilities() const = 0;
  // A source that is missing, empty of files or lacks a column is an error that names it and says
  // what to do.
  virtual Result<Scan> OpenScan(const ScanRequest& request) = 0;
};

struct OfflineStoreContext {
  std::string repo_path;           // Relative paths count from here.
  bool anonymous_objects = false;  // Object stores are read without credentials.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds retry_timeout{300'000};  // Of a server that asks to come back later.
  std::stop_token stop;                              // Ends waits and running queries.
  Clock* clock = &SystemClock();                     // Borrowed; for waits.
};

}  // namespace banquet
