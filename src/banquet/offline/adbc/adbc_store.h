#pragma once
// The offline store over SQL: any database with an ADBC driver and a dialect in sql/.

#include <memory>

#include "banquet/base/config_node.h"
#include "banquet/model/source_reach.h"
#include "banquet/offline/offline_store.h"

namespace banquet::adbc {

// `offline_store: {type: postgres, …}`, with Feast's own keys. Nothing is connected to before the
// first scan. Each scan has a session of its own; a scan's rows come from one statement, so that
// they are of one moment.
Result<std::unique_ptr<OfflineStore>> MakePostgresStore(const ConfigNode& block,
                                                        const OfflineStoreContext& context);

// `offline_store: {type: adbc, dialect: …, driver: …}`. DuckDB and SQLite have no data source of
// their own in Feast: PostgreSQLSource, a table or query by name, stands for theirs too.
Result<std::unique_ptr<OfflineStore>> MakeAdbcStore(const ConfigNode& block,
                                                    const OfflineStoreContext& context);

// Which data sources either reads.
SourceReach Reach();

}  // namespace banquet::adbc
