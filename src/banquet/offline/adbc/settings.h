#pragma once
// The offline_store block as what a driver is to be told.

#include <string>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"
#include "banquet/offline/adbc/connection.h"
#include "banquet/offline/offline_store.h"

namespace banquet::adbc {

struct StoreSettings {
  DatabaseSettings database;
  // Complete the names of tables that lack them; empty: the connection's.
  std::string catalog;
  std::string schema;
};

// `type: postgres`, with the keys of Feast's own offline store and `driver`.
Result<StoreSettings> PostgresSettings(const ConfigNode& block, const OfflineStoreContext& context);

// `type: adbc`: a dialect, a driver or a connection profile, and options that go to the driver as
// they are. A dialect whose drivers cannot run in this process is refused by name.
Result<StoreSettings> AdbcSettings(const ConfigNode& block, const OfflineStoreContext& context);

}  // namespace banquet::adbc
