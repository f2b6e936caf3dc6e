#include "banquet/config/type_words.h"

#include <span>
#include <string_view>

namespace banquet {
namespace {

struct ClassPath {
  std::string_view path;
  std::string_view word;
};

constexpr ClassPath kOnlineStores[] = {
    {"feast.infra.online_stores.sqlite.SqliteOnlineStore", "sqlite"},
    {"feast.infra.online_stores.redis.RedisOnlineStore", "redis"},
    {"feast.infra.online_stores.dynamodb.DynamoDBOnlineStore", "dynamodb"},
    {"feast.infra.online_stores.postgres_online_store.postgres.PostgreSQLOnlineStore", "postgres"},
    {"feast.infra.online_stores.contrib.postgres.PostgreSQLOnlineStore", "postgres"},
    {"feast.infra.online_stores.contrib.postgres_online_store.postgres.PostgreSQLOnlineStore",
     "postgres"},
};

constexpr ClassPath kOfflineStores[] = {
    {"feast.infra.offline_stores.dask.DaskOfflineStore", "dask"},
    {"feast.infra.offline_stores.file.FileOfflineStore", "file"},
    {"feast.infra.offline_stores.duckdb.DuckDBOfflineStore", "duckdb"},
    {"feast.infra.offline_stores.contrib.spark_offline_store.spark.SparkOfflineStore", "spark"},
    {"feast.infra.offline_stores.contrib.postgres_offline_store.postgres.PostgreSQLOfflineStore",
     "postgres"},
};

constexpr ClassPath kBatchEngines[] = {
    {"feast.infra.compute_engines.local.compute.LocalComputeEngine", "local"},
    {"feast.infra.materialization.local_engine.LocalMaterializationEngine", "local"},
    {"feast.infra.materialization.LocalMaterializationEngine", "local"},
    {"feast.infra.compute_engines.spark.compute.SparkComputeEngine", "spark.engine"},
};

std::string WordOf(std::span<const ClassPath> classes, const std::string& type) {
  for (const ClassPath& known : classes) {
    if (known.path == type) return std::string(known.word);
  }
  return type;
}

}  // namespace

std::string OnlineStoreWord(const std::string& type) { return WordOf(kOnlineStores, type); }
std::string OfflineStoreWord(const std::string& type) { return WordOf(kOfflineStores, type); }
std::string BatchEngineWord(const std::string& type) { return WordOf(kBatchEngines, type); }

}  // namespace banquet
