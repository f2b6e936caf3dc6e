// `bulk-sqlite`: the fastest way known to us to put a view's rows into Feast's table: sorted by
// the table's key, handed over by a virtual table, ten thousand entities in a transaction.

#include <fmt/core.h>
#include <sqlite3.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "bench/native/command.h"
#include "bench/native/meters.h"
#include "bench/native/planned_run.h"
#include "bench/native/sink_store.h"
#include "bench/native/value_feed.h"

namespace banquet::bench {
namespace {

struct BulkArguments {
  RunArguments run;
  std::string path;
  std::string journal = "wal";
  std::string synchronous = "normal";
};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using OpenDatabase = std::unique_ptr<sqlite3, CloseDatabase>;

Status Execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
    return Status::OK();
  return RemoteError({}, "{}: {}", sqlite3_errmsg(database), sql);
}

std::string CreateSql(const std::string& table) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {0} (entity_key BLOB, feature_name TEXT, value BLOB, value_text "
      "TEXT, vector_value BLOB, event_ts timestamp, created_ts timestamp, "
      "PRIMARY KEY(entity_key, feature_name));"
      "CREATE INDEX IF NOT EXISTS {0}_ek ON {0} (entity_key)",
      table);
}

std::string InsertSql(const std::string& table) {
  return fmt::format(
      "INSERT INTO {} (entity_key, feature_name, value, value_text, event_ts, created_ts) SELECT "
      "entity_key, feature_name, value, value_text, event_ts, created_ts FROM value_feed WHERE "
      "true "
      "ON CONFLICT(entity_key, feature_name) DO UPDATE SET value = excluded.value, value_text = "
      "excluded.value_text, event_ts = excluded.event_ts, created_ts = excluded.created_ts",
      table);
}

Status Load(const BulkArguments& arguments, const ViewColumns& view,
            const std::vector<std::shared_ptr<const EncodedBatch>>& batches) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open(arguments.path.c_str(), &raw);
  OpenDatabase database(raw);
  if (opened != SQLITE_OK) return RemoteError({}, "cannot open {}", arguments.path);
  BANQUET_RETURN_NOT_OK(Execute(
      raw, fmt::format("PRAGMA journal_mode = {}; PRAGMA synchronous = {}; PRAGMA cache_size = "
                       "-65536",
                       arguments.journal, arguments.synchronous)));
  const std::string table = view.project + "_" + view.view;
  BANQUET_RETURN_NOT_OK(Execute(raw, CreateSql(table)));
  ValueFeed feed(view);
  BANQUET_RETURN_NOT_OK(feed.Register(raw));
  for (const auto& batch : batches) {
    feed.Set(batch.get());
    BANQUET_RETURN_NOT_OK(Execute(raw, "BEGIN IMMEDIATE"));
    BANQUET_RETURN_NOT_OK(Execute(raw, InsertSql(table)));
    BANQUET_RETURN_NOT_OK(Execute(raw, "COMMIT"));
  }
  // Closing writes the log back into the file.
  if (sqlite3_close(database.release()) != SQLITE_OK) return Bug("The database did not close");
  return Status::OK();
}

Status RunBulk(const BulkArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<PlannedRun> run, PlannedRun::Open(arguments.run));
  SinkStore store(
      {.needs = {.lanes = 1, .order = WriteOrder::kByKey, .encode = {.value_text = true}},
       .keep = true});
  {
    BANQUET_ASSIGN_OR_RETURN(LoweredPlan plan, run->Lower(&store, WriteOrder::kByKey));
    BANQUET_RETURN_NOT_OK(plan.Run());
  }
  auto batches = store.kept();
  std::ranges::sort(batches, {}, [](const auto& batch) { return batch->keys[0]; });
  int64_t entities = 0;
  for (const auto& batch : batches) entities += static_cast<int64_t>(batch->rows);
  const double began = Now();
  BANQUET_RETURN_NOT_OK(Load(arguments, run->group().columns.front(), batches));
  fmt::print("{{\"seconds\": {:.6f}, \"entities\": {}}}\n", Now() - began, entities);
  return Status::OK();
}

}  // namespace

void AddSqliteCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<BulkArguments>();
  CLI::App* command =
      app.add_subcommand("bulk-sqlite", "The best known bulk load of Feast's table");
  AddRunArguments(command, &arguments->run);
  command->add_option("--path", arguments->path, "The database to load")->required();
  command->add_option("--journal", arguments->journal)
      ->check(CLI::IsMember({"wal", "delete", "truncate"}));
  command->add_option("--synchronous", arguments->synchronous)
      ->check(CLI::IsMember({"off", "normal", "full", "extra"}));
  command->callback([body, arguments] { *body = [arguments] { return RunBulk(*arguments); }; });
}

}  // namespace banquet::bench
