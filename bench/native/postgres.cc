// `bulk-postgres`: the fastest ways known to us to put a view's rows into Feast's table, framed
// before the clock runs, on two connections with a range of keys each: copied into the empty table,
// or copied to a stage and upserted from it, with nothing compared.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "banquet/client/postgres/connection.h"
#include "banquet/online/postgres/copy_frames.h"
#include "banquet/online/postgres/view_table.h"
#include "bench/native/command.h"
#include "bench/native/meters.h"
#include "bench/native/planned_run.h"
#include "bench/native/sink_store.h"

namespace banquet::bench {
namespace {

constexpr size_t kConnections = 2;

struct BulkArguments {
  RunArguments run;
  int port = 0;
  bool upsert = false;
};

// A transaction's worth of rows, as COPY takes them.
using Portion = std::string;

Result<std::unique_ptr<postgres::Connection>> Connect(int port) {
  return postgres::Connection::Open({.parameters = {{"host", "127.0.0.1"},
                                                    {"port", std::to_string(port)},
                                                    {"user", "feast"},
                                                    {"password", "feast"},
                                                    {"dbname", "golden"},
                                                    {"sslmode", "disable"}},
                                     .server = "postgres"});
}

Status Copy(postgres::Connection* connection, const std::string& target, const Portion& rows) {
  BANQUET_RETURN_NOT_OK(connection->StartCopy(
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", target, postgres::ColumnsText({}))));
  BANQUET_RETURN_NOT_OK(connection->SendCopy(rows));
  return connection->FinishCopy().status();
}

// The stage has its rows in the order of keys.
std::string UpsertSql(const std::string& table) {
  const std::string columns = postgres::ColumnsText({});
  return fmt::format(
      "INSERT INTO {} ({}) SELECT {} FROM stage ON CONFLICT "
      "(entity_key, feature_name) DO UPDATE SET value = excluded.value, value_text = "
      "excluded.value_text, event_ts = excluded.event_ts, created_ts = excluded.created_ts",
      table, columns, columns);
}

Status LoadShare(int port, const std::string& table, const std::vector<Portion>& portions,
                 bool upsert) {
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connect(port));
  if (upsert) {
    BANQUET_RETURN_NOT_OK(connection->Run(
        "CREATE TEMPORARY TABLE stage (entity_key bytea, feature_name text, value bytea, "
        "value_text "
        "text, event_ts timestamptz, created_ts timestamptz) ON COMMIT DELETE ROWS"));
  }
  for (const Portion& portion : portions) {
    BANQUET_RETURN_NOT_OK(connection->Run("BEGIN"));
    BANQUET_RETURN_NOT_OK(Copy(connection.get(), upsert ? "stage" : table, portion));
    if (upsert) BANQUET_RETURN_NOT_OK(connection->Run(UpsertSql(table)));
    BANQUET_RETURN_NOT_OK(connection->Run("COMMIT"));
  }
  return Status::OK();
}

Result<std::string> MakeTable(int port, const ViewColumns& view) {
  BANQUET_ASSIGN_OR_RETURN(const auto connection, Connect(port));
  BANQUET_ASSIGN_OR_RETURN(
      const postgres::ViewTable table,
      postgres::EnsureTable(connection.get(), view, {.schema = "public", .owner = "feast"}));
  return table.name;
}

// In the order of keys, an equal share for each connection.
Result<std::vector<std::vector<Portion>>> Frame(
    const ViewColumns& view, const std::vector<std::shared_ptr<const EncodedBatch>>& batches) {
  const postgres::CopyFrames frames(view, {});
  std::vector<std::vector<Portion>> shares(kConnections);
  for (size_t i = 0; i < batches.size(); ++i) {
    Portion& portion = shares[i * kConnections / batches.size()].emplace_back();
    frames.Begin(&portion);
    for (uint32_t row = 0; row < batches[i]->rows; ++row) {
      BANQUET_RETURN_NOT_OK(frames.Row(*batches[i], 0, row, 0, &portion));
    }
    frames.End(&portion);
  }
  return shares;
}

Status RunBulk(const BulkArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<PlannedRun> run, PlannedRun::Open(arguments.run));
  SinkStore store({.needs = {.lanes = 1,
                             .order = WriteOrder::kByKey,
                             .encode = {.value_text = true, .value_num = true}},
                   .keep = true});
  {
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(&store, WriteOrder::kByKey));
    BANQUET_RETURN_NOT_OK(plan.Run());
  }
  auto batches = store.kept();
  std::ranges::sort(batches, {}, [](const auto& batch) { return batch->keys[0]; });
  const ViewColumns& view = run->group().columns.front();
  BANQUET_ASSIGN_OR_RETURN(const std::string table, MakeTable(arguments.port, view));
  BANQUET_ASSIGN_OR_RETURN(const auto shares, Frame(view, batches));
  const double began = Now();
  std::vector<std::future<Status>> loads;
  for (const std::vector<Portion>& share : shares) {
    loads.push_back(std::async(std::launch::async, LoadShare, arguments.port, table,
                               std::cref(share), arguments.upsert));
  }
  for (std::future<Status>& load : loads) BANQUET_RETURN_NOT_OK(load.get());
  fmt::print("{{\"seconds\": {:.6f}}}\n", Now() - began);
  return Status::OK();
}

}  // namespace

void AddPostgresCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<BulkArguments>();
  CLI::App* command = app.add_subcommand(
      "bulk-postgres", "The best known bulk load of Feast's table on a local server");
  AddRunArguments(command, &arguments->run);
  command->add_option("--port", arguments->port)->required();
  command->add_flag("--upsert", arguments->upsert, "Into a table that has the rows");
  command->callback([body, arguments] { *body = [arguments] { return RunBulk(*arguments); }; });
}

}  // namespace banquet::bench
