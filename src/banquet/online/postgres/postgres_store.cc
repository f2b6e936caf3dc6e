#include "banquet/online/postgres/postgres_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/client/postgres/connection.h"
#include "banquet/client/postgres/sql_state.h"
#include "banquet/online/postgres/fresh_tables.h"
#include "banquet/online/postgres/postgres_writer.h"
#include "banquet/online/postgres/read_rows.h"
#include "banquet/online/postgres/server_identity.h"
#include "banquet/online/postgres/upsert.h"
#include "banquet/online/postgres/view_table.h"

namespace banquet::postgres {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "host",
     .type = OptionType::kText,
     .meaning = "the server's name or address, or the folder of its Unix socket",
     .required = true},
    {.name = "port", .type = OptionType::kInt, .default_value = "5432", .meaning = "its port"},
    {.name = "database",
     .type = OptionType::kText,
     .meaning = "the database that holds the tables",
     .required = true},
    {.name = "db_schema",
     .type = OptionType::kText,
     .default_value = "public",
     .meaning = "the schema of the tables; made if it is not there"},
    {.name = "user", .type = OptionType::kText, .meaning = "who logs in", .required = true},
    {.name = "password", .type = OptionType::kSecret, .meaning = "the user's", .required = true},
    {.name = "sslmode",
     .type = OptionType::kChoice,
     .default_value = "require",
     .meaning = "as libpq has it: only verify-ca and verify-full look at who answers",
     .choices = "disable|allow|prefer|require|verify-ca|verify-full"},
    {.name = "sslrootcert_path",
     .type = OptionType::kText,
     .meaning = "file of the authorities that may sign the server's certificate"},
    {.name = "sslcert_path", .type = OptionType::kText, .meaning = "our certificate"},
    {.name = "sslkey_path", .type = OptionType::kText, .meaning = "its key"},
    {.name = "keepalives_idle",
     .type = OptionType::kInt,
     .unit = "s",
     .meaning = "of silence before the network is probed"},
    {.name = "enable_openai_compatible_store",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "a column value_num beside the values"},
    {.name = "vector_enabled",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "vectors beside the values; true is refused"},
    {.name = "similarity",
     .type = OptionType::kText,
     .meaning = "for Feast's vector search; writing does not depend on it"},
    {.name = "conn_type",
     .type = OptionType::kText,
     .meaning = "for Feast's Python client; writing does not depend on it"},
    {.name = "min_conn",
     .type = OptionType::kInt,
     .meaning = "for Feast's Python client; writing does not depend on it"},
    {.name = "max_conn",
     .type = OptionType::kInt,
     .meaning = "for Feast's Python client; writing does not depend on it"},
    {.name = "max_batched_result_rows",
     .type = OptionType::kInt,
     .meaning = "for Feast's reads; writing does not depend on it"},
};
constexpr std::string_view kIgnoredKeys[] = {"type"};

constexpr int kLanes = 2;         // Each writes a share of the keys; more do not help one table.
constexpr int kMakeAttempts = 3;  // Two runs may make a table at once.

// Times are exchanged as numbers, so that no zone can shift them; a session in UTC shows them to
// people as they are meant. A commit is on the disk when it is acknowledged, whatever the user's
// default is.
constexpr char kSession[] =
    "SELECT set_config('TimeZone', 'UTC', false), CASE WHEN "
    "current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'local', "
    "false) END";

class PostgresStore final : public OnlineStore {
 public:
  PostgresStore(ConnectionSettings settings, TableForm form)
      : settings_(std::move(settings)), form_(std::move(form)) {}

  WriteNeeds needs() const override {
    return {.lanes = kLanes,
            .order = WriteOrder::kByKey,
            .encode = {.value_text = true, .value_num = true}};
  }

  // What Prepare does, rolled back.
  Status Check(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Open());
    BANQUET_RETURN_NOT_OK(connection->Run("BEGIN"));
    BANQUET_RETURN_NOT_OK(EnsureTables(connection.get(), views).status());
    return connection->Run("ROLLBACK").status();
  }

  Status Prepare(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Open());
    BANQUET_RETURN_NOT_OK(identity_.Note(connection.get()));
    Result<std::vector<ViewTable>> tables = MakeTables(connection.get(), views);
    for (int attempt = 1; attempt < kMakeAttempts && WasMadeByOthers(*connection); ++attempt) {
      BANQUET_RETURN_NOT_OK(connection->Run("ROLLBACK"));
      tables = MakeTables(connection.get(), views);
    }
    BANQUET_RETURN_NOT_OK(tables);
    for (size_t i = 0; i < views.size(); ++i) {
      const ViewTable& table = (*tables)[i];
      BANQUET_ASSIGN_OR_RETURN(
          const Rows rows, connection->Run("SELECT NOT EXISTS (SELECT 1 FROM " + table.name + ")"));
      fresh_.Set(table.name, rows.Bool(0, 0));
      identity_.NoteTable(views[i], table);
    }
    return Status::OK();
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    BANQUET_ASSIGN_OR_RETURN(auto connection, Open());
    std::vector<ViewTable> tables;
    for (const ViewColumns& view : views) {
      BANQUET_ASSIGN_OR_RETURN(auto table, FindTable(connection.get(), view));
      if (!table.has_value()) {
        return RemoteError({}, "{}: table of view {} was removed while it was written", Describe(),
                           view.view);
      }
      tables.push_back(*std::move(table));
    }
    return MakeWriter(std::move(connection), views, std::move(tables), &fresh_);
  }

  Status ConfirmWritten() override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Open());
    return identity_.Confirm(connection.get());
  }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    const std::lock_guard lock(read_mutex_);
    const bool reused = read_connection_ != nullptr;
    Result<StoredRows> rows = TryRead(view, keys);
    // A connection kept from before may have been closed meanwhile.
    if (!rows.ok() && reused && IsRetryable(rows.status())) rows = TryRead(view, keys);
    return rows;
  }

  Status Remove(const ViewColumns& view) override {
    BANQUET_ASSIGN_OR_RETURN(const auto connection, Open());
    BANQUET_ASSIGN_OR_RETURN(const auto table, FindTable(connection.get(), view));
    if (!table.has_value()) return Status::OK();
    return connection->Run("DROP TABLE IF EXISTS " + table->name).status();
  }

  std::string_view type() const override { return "postgres"; }
  std::string Describe() const override { return settings_.server; }

 private:
  Result<std::unique_ptr<Connection>> Open() const {
    BANQUET_ASSIGN_OR_RETURN(auto connection, Connection::Open(settings_));
    BANQUET_RETURN_NOT_OK(connection->Run(kSession));
    return connection;
  }

  Result<std::vector<ViewTable>> MakeTables(Connection* connection,
                                            std::span<const ViewColumns> views) const {
    BANQUET_RETURN_NOT_OK(connection->Run("BEGIN"));
    BANQUET_ASSIGN_OR_RETURN(auto tables, EnsureTables(connection, views));
    BANQUET_RETURN_NOT_OK(connection->Run("COMMIT"));
    return tables;
  }

  // Also tries what a writer does, so that a missing right shows before anything is read.
  Result<std::vector<ViewTable>> EnsureTables(Connection* connection,
                                              std::span<const ViewColumns> views) const {
    std::vector<ViewTable> tables;
    for (size_t i = 0; i < views.size(); ++i) {
      BANQUET_ASSIGN_OR_RETURN(auto table, EnsureTable(connection, views[i], form_));
      BANQUET_RETURN_NOT_OK(
          ViewUpsert(connection, views[i], i, table).MakeStage(/*of_transaction=*/true));
      tables.push_back(std::move(table));
    }
    return tables;
  }

  static bool WasMadeByOthers(const Connection& connection) {
    return connection.sql_state() == kUniqueViolation || connection.sql_state() == kDuplicateTable;
  }

  Result<StoredRows> TryRead(const ViewColumns& view, std::span<const std::string> keys) {
    if (read_connection_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(read_connection_, Open());
    }
    Result<StoredRows> rows = ReadRows(read_connection_.get(), view, keys);
    if (!rows.ok()) read_connection_.reset();
    return rows;
  }

  const ConnectionSettings settings_;
  const TableForm form_;
  FreshTables fresh_;
  ServerIdentity identity_;
  std::mutex read_mutex_;
  std::unique_ptr<Connection> read_connection_;
};

ConnectionSettings SettingsOf(const OptionValues& options, const std::string& schema,
                              const OnlineStoreContext& context) {
  const auto text = [&](std::string_view name) { return options.Text(name).value_or(""); };
  const std::string port = std::to_string(options.Int("port").value_or(5432));
  ConnectionSettings settings{
      .parameters = {{"host", text("host")},
                     {"port", port},
                     {"dbname", text("database")},
                     {"user", text("user")},
                     {"password", text("password")},
                     {"sslmode", text("sslmode")},
                     // As Feast asks for it, so that both find the same tables.
                     {"options",
                      "-c search_path=" + schema + (schema == "public" ? "" : ",public")},
                     {"client_encoding", "UTF8"},
                     {"application_name", "banquet"}},
      .server = fmt::format("postgres at {}:{}/{}", text("host"), port, text("database")),
      .connect_timeout = context.connect_timeout,
      .stall_timeout = context.stall_timeout,
      .stop = context.stop};
  const std::pair<const char*, const char*> files[] = {
      {"sslrootcert", "sslrootcert_path"}, {"sslcert", "sslcert_path"}, {"sslkey", "sslkey_path"}};
  for (const auto& [keyword, option] : files) {
    if (options.Text(option).has_value()) settings.parameters.emplace_back(keyword, text(option));
  }
  if (const auto idle = options.Int("keepalives_idle")) {
    settings.parameters.emplace_back("keepalives_idle", std::to_string(*idle));
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "online_store", kIgnoredKeys));
  if (options.Bool("vector_enabled")) {
    return UserError(
        "online_store.vector_enabled is not supported by this version; set it to false ({})",
        options.Location("vector_enabled").ToString());
  }
  for (const char* option : {"sslrootcert_path", "sslcert_path", "sslkey_path"}) {
    const std::string path = options.Text(option).value_or("");
    const bool is_word = path.empty() || path == "system";  // libpq's for the system's authorities.
    if (!is_word && ::access(path.c_str(), R_OK) != 0) {
      return UserError("online_store.{} cannot be read: {}: {} ({})", option, std::strerror(errno),
                       path, options.Location(option).ToString());
    }
  }
  std::string schema = options.Text("db_schema").value_or("");
  const std::string user = options.Text("user").value_or("");
  if (schema.empty()) schema = user;
  TableForm form{
      .schema = schema, .owner = user, .value_num = options.Bool("enable_openai_compatible_store")};
  return std::make_unique<PostgresStore>(SettingsOf(options, schema, context), std::move(form));
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::postgres
