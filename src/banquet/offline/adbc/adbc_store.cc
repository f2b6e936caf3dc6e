#include "banquet/offline/adbc/adbc_store.h"

#include <mutex>
#include <utility>

#include "banquet/base/clock.h"
#include "banquet/base/retry.h"
#include "banquet/offline/adbc/settings.h"
#include "banquet/offline/adbc/sql_scan.h"

namespace banquet::adbc {
namespace {

class AdbcStore final : public OfflineStore {
 public:
  AdbcStore(StoreSettings settings, const OfflineStoreContext& context)
      : settings_(std::move(settings)), context_(context) {}

  ScanCapabilities capabilities() const override { return {.filters_window = true}; }

  Result<Scan> OpenScan(const ScanRequest& request) override {
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<Connection> connection, Connect());
    Result<Scan> scan =
        PlanSqlScan(request, {.catalog = settings_.catalog, .schema = settings_.schema},
                    settings_.database.server.product, std::move(connection));
    if (!scan.ok()) return Annotate(scan.status(), "data source " + request.source.name);
    return scan;
  }

 private:
  // A server that starts, or is full, is asked again for a while.
  Result<std::shared_ptr<Connection>> Connect() {
    RetryPolicy retry({.timeout = context_.retry_timeout}, std::random_device()());
    Clock& clock = *context_.clock;
    while (true) {
      if (context_.stop.stop_requested()) return CancelledError();
      Result<std::shared_ptr<Connection>> connection = TryToConnect();
      if (connection.ok() || !IsBusy(connection.status())) return connection;
      const auto now = clock.Steady();
      const auto wait = retry.NextWait({.at = now, .trouble_since = now});
      if (wait.count() < 0) return connection;
      if (!clock.Wait(wait, context_.stop)) return CancelledError();
    }
  }

  Result<std::shared_ptr<Connection>> TryToConnect() {
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<Database> database, OpenDatabase());
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<Connection> connection,
                             Connection::Open(std::move(database)));
    for (const std::string_view statement :
         DialectOf(settings_.database.server.product).session_setup) {
      BANQUET_RETURN_NOT_OK(connection->Run(std::string(statement)));
    }
    return connection;
  }

  // One for all scans: two of DuckDB's on one file are in each other's way.
  Result<std::shared_ptr<Database>> OpenDatabase() {
    const std::lock_guard lock(mutex_);
    if (database_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(database_, Database::Open(settings_.database));
    }
    return database_;
  }

  const StoreSettings settings_;
  const OfflineStoreContext context_;
  std::mutex mutex_;
  std::shared_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<OfflineStore>> MakePostgresStore(const ConfigNode& block,
                                                        const OfflineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(StoreSettings settings, PostgresSettings(block, context));
  return std::make_unique<AdbcStore>(std::move(settings), context);
}

Result<std::unique_ptr<OfflineStore>> MakeAdbcStore(const ConfigNode& block,
                                                    const OfflineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(StoreSettings settings, AdbcSettings(block, context));
  return std::make_unique<AdbcStore>(std::move(settings), context);
}

SourceReach Reach() {
  return {.words = "PostgreSQLSource, a table or query of the database that offline_store names",
          .sources = {SourceType::kPostgres}};
}

}  // namespace banquet::adbc
