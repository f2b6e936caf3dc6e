#pragma once
// Writes rows that another process sends (`banquet sink`).

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/ipc/arrow_stream.h"
#include "banquet/engine/sink_frame.h"
#include "banquet/exec/store_lanes.h"

namespace banquet {

// What one store did with the rows of one view. rows = written + stale + unchanged.
struct SinkCounts {
  std::string store;  // Its name in reports.
  std::string view;   // Its name in online storage.
  int64_t written = 0;
  int64_t stale = 0;
  int64_t unchanged = 0;
  int64_t bytes = 0;
  bool operator==(const SinkCounts&) const = default;
};

struct SinkReport {
  int64_t rows = 0;
  std::vector<SinkCounts> counts;  // Of each store and view.
};

std::string SinkReportToJson(const SinkReport& report);  // One line.
Result<SinkReport> SinkReportFromJson(std::string_view text);

// Until the stream's end: prepares the stores, writes, and has them confirm. Nothing is recorded
// and no view is locked; that is the sender's. `stores` and `clock` are borrowed.
Result<SinkReport> RunSink(const SinkFrame& frame, const RunOptions& options, ArrowStream* stream,
                           const std::vector<StoreLanes*>& stores, Clock* clock,
                           const std::stop_token& stop);

}  // namespace banquet
