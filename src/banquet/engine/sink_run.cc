#include "banquet/engine/sink_run.h"

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "banquet/engine/run_share.h"
#include "banquet/exec/pipeline.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stream_source.h"
#include "banquet/exec/write_sink.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

}  // namespace

std::string SinkReportToJson(const SinkReport& report) {
  auto counts = Json::array();
  for (const SinkCounts& one : report.counts) {
    counts.push_back({{"store", one.store},
                      {"view", one.view},
                      {"written", one.written},
                      {"stale", one.stale},
                      {"unchanged", one.unchanged},
                      {"bytes", one.bytes}});
  }
  const Json json = {{"banquet_sink", kFormat}, {"rows", report.rows}, {"counts", counts}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SinkReport> SinkReportFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  SinkReport report;
  try {
    if (json.at("banquet_sink") != kFormat)
      return DataError("A sink's report is of another format");
    report.rows = json.at("rows");
    for (const Json& one : json.at("counts")) {
      report.counts.push_back({.store = one.at("store"),
                               .view = one.at("view"),
                               .written = one.at("written"),
                               .stale = one.at("stale"),
                               .unchanged = one.at("unchanged"),
                               .bytes = one.at("bytes")});
    }
  } catch (const Json::exception&) {
    return DataError("It is no report of `banquet sink`");
  }
  return report;
}

Result<SinkReport> RunSink(const SinkFrame& frame, const RunOptions& options, ArrowStream* stream,
                           const std::vector<StoreLanes*>& stores, Clock* clock,
                           const std::stop_token& stop) {
  RowFates fates;
  std::deque<StoreTally> tallies;  // Of each store, then of each view.
  std::vector<WriteTarget> targets;
  int lanes = 1;
  for (StoreLanes* store : stores) {
    BANQUET_RETURN_NOT_OK(store->store().Prepare(frame.views));
    WriteTarget& target = targets.emplace_back();
    target.lanes = store;
    for (size_t i = 0; i < frame.views.size(); ++i)
      target.tallies.push_back(&tallies.emplace_back());
    lanes = std::max(lanes, store->count());
  }
  Pipeline pipeline;
  BANQUET_ASSIGN_OR_RETURN(pipeline.source, MakeStreamSource(stream));
  BANQUET_ASSIGN_OR_RETURN(
      const auto sink,
      MakeWriteSink(WriteNode{.input = 0, .views = frame.views}, *stream->schema(), targets,
                    {.retry = {.timeout = options.retry_timeout},
                     .clock = clock,
                     .stop = stop,
                     .count_winners = &fates}));
  pipeline.sink = sink.get();
  BANQUET_RETURN_NOT_OK(RunPipeline(pipeline, ShareOf(options, lanes).writers, stop));
  SinkReport report{.rows = fates.winners, .counts = {}};
  for (size_t store = 0; store < stores.size(); ++store) {
    BANQUET_RETURN_NOT_OK(stores[store]->store().ConfirmWritten());
    for (size_t view = 0; view < frame.views.size(); ++view) {
      const StoreTally& tally = tallies[store * frame.views.size() + view];
      const SinkCounts& counts =
          report.counts.emplace_back(SinkCounts{.store = stores[store]->name(),
                                                .view = frame.views[view].view,
                                                .written = tally.written,
                                                .stale = tally.stale,
                                                .unchanged = tally.unchanged,
                                                .bytes = tally.bytes});
      if (counts.written + counts.stale + counts.unchanged != report.rows) {
        return Bug("{} rows of view {} were given to {}, {} are accounted for", report.rows,
                   counts.view, counts.store, counts.written + counts.stale + counts.unchanged);
      }
    }
  }
  return report;
}

}  // namespace banquet
